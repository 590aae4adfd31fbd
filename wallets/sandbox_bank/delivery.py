"""What the bank tells us of its own accord: signed webhooks to our own endpoint, over HTTP, as any bank would."""

import logging
from datetime import datetime
from typing import Any

import httpx
import msgspec
from django.conf import settings

from wallets.models import SandboxCheckout, SandboxPayout
from wallets.providers.sandbox import webhooks
from wallets.sandbox_bank.bank import amount_paid, since, status_of
from wallets.sandbox_bank.notices import Kind

logger = logging.getLogger(__name__)


def tell(kind: Kind, reference: str, *, now: datetime) -> bool:
    """Deliver what the bank has to say. Returns whether it was taken: exactly 200, as real providers want it."""
    body = notice(kind, reference, now=now)
    if body is None:
        return False
    try:
        answer = httpx.post(settings.SANDBOX_WEBHOOK_URL, content=body, headers=signed(body, now=now), timeout=5.0)
    except httpx.HTTPError as error:
        logger.warning("The sandbox bank's webhook wasn't taken: %s", error)
        return False
    return answer.status_code == httpx.codes.OK


def notice(kind: Kind, reference: str, *, now: datetime) -> bytes | None:
    """The webhook's body, or None where there is nothing to tell."""
    made = _of_payout(reference, now) if kind == "payout" else _of_deposit(reference)
    return None if made is None else msgspec.json.encode(made)


def signed(body: bytes, *, now: datetime) -> dict[str, str]:
    """The headers of a delivery, signed with the first of the secrets."""
    _, options = settings.PROVIDERS["sandbox"]
    return webhooks.headers(options["webhook_secrets"][0], int(now.timestamp()), body)


def _of_payout(reference: str, now: datetime) -> dict[str, Any] | None:
    payout = SandboxPayout.objects.filter(pk=reference).first()
    if payout is None:
        return None
    status = status_of(payout, now)
    data = {"reference": reference, "id": reference, "status": status, "amount": amount_paid(payout)}
    return _event(f"payout.{status}", reference, since(payout, now), data | {"currency": payout.currency})


def _of_deposit(reference: str) -> dict[str, Any] | None:
    checkout = SandboxCheckout.objects.filter(pk=reference).first()
    if checkout is None:
        return None
    ours = "" if checkout.reference == checkout.number else reference
    data = {"reference": ours, "id": checkout.number, "status": checkout.status, "amount": checkout.paid}
    at = checkout.ended_at or checkout.opened_at
    return _event(f"deposit.{checkout.status}", checkout.number, at, data | {"currency": checkout.currency})


def _event(name: str, number: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"{name}:{number}", "event": name, "at": at.isoformat(), "data": data}
