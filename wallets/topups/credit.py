"""What a provider's word on a deposit does: credits a top-up once, ends it, or keeps money that can't be matched.

Whoever asks, a worker that was rung by a webhook or one that looks by itself, comes here with the answer; the same
answer again changes nothing, so any order of them ends in one state.
"""

import logging
from datetime import datetime

from django.db import transaction
from uuid_utils.compat import uuid7

from ledger.decision import AmountTooLarge
from ledger.durable import TryAgain, durable
from ledger.posting import post_one
from users import audit
from users.callers import System
from wallets import chart, metrics
from wallets.models import TopUp, UnmatchedReceipt, Wallet
from wallets.providers.port import DepositState, RemoteStatus
from wallets.topups import receipts
from wallets.topups.payments import Inconclusive, Payment

logger = logging.getLogger(__name__)

TOP_UPS = System("top-ups")
Reason = UnmatchedReceipt.Reason
Status = TopUp.Status


@durable
def take(provider: str, reference: str, state: DepositState, *, now: datetime) -> str:
    """Write down what a provider answered about a deposit; returns that in words.

    `reference` is what was asked for, "" where the payment was asked for by the provider's name for it. Raises
    Inconclusive where it must be asked again, or a person must look.
    """
    if reference and state.reference and state.reference != reference:
        raise Inconclusive(f"Asked for {reference}, the provider answers for {state.reference[:100]}.")
    top_up = _lock(provider, state.reference or reference)
    match state.status:
        case RemoteStatus.SUCCEEDED:
            payment = Payment.told(provider, reference, state)
            if top_up:
                return _arrived(top_up, payment, by_name=not reference, now=now)
            return _stray(payment, by_name=not reference, now=now)
        case RemoteStatus.FAILED:
            return _failed(top_up, state.detail, now)
        case RemoteStatus.REVERSED if top_up is None or top_up.status != Status.COMPLETED:
            return _failed(top_up, state.detail or "The payment was reversed.", now)
        case RemoteStatus.REVERSED:
            raise Inconclusive("The provider has reversed a payment that is credited; a person must decide.")
        case _:
            raise Inconclusive(f"The provider says: {state.status}.")


def is_another(provider: str, reference: str, payment_id: str) -> bool:
    """Whether a payment isn't the one that came under a reference before: credited, or kept for a person."""
    which = {"provider": provider, "reference": reference}
    credited = TopUp.objects.filter(**which, status=Status.COMPLETED).values_list("payment_id", flat=True)
    kept = UnmatchedReceipt.objects.filter(**which).values_list("payment_id", flat=True)
    known = {*credited, *kept} if reference and payment_id else set()
    return bool(known) and payment_id not in known


def expire(top_up: TopUp, *, now: datetime) -> None:
    """Stop waiting for a payment, inside the caller's transaction, which has the row locked."""
    _end(top_up, Status.EXPIRED, now, failure_code="expired", failure_detail="Nobody paid in time.")


def _lock(provider: str, reference: str) -> TopUp | None:
    if not reference:
        return None
    found = TopUp.objects.select_for_update(no_key=True).filter(provider=provider, reference=reference[:100])
    return found.first()


def _arrived(top_up: TopUp, payment: Payment, *, by_name: bool, now: datetime) -> str:
    """Money came for a top-up: to its wallet where it is what was asked for, else into suspense.

    A provider may name one payment differently from answer to answer; that there are two is believed only of one that
    was asked for by its name.
    """
    if top_up.status == Status.COMPLETED:
        if by_name and payment.id not in (top_up.payment_id, top_up.reference):
            return _keep(payment, Reason.PAID_TWICE, top_up, now)
        return "It was credited before."
    if receipts.is_kept(payment, by_name=by_name):
        return "It was kept for a person before."
    if reason := _mismatch(top_up, payment):
        return _unsettled(top_up, payment, reason, now)
    try:
        with transaction.atomic():
            return _credit(top_up, payment, now)
    except AmountTooLarge:
        return _unsettled(top_up, payment, Reason.AMOUNT_TOO_LARGE, now)


def _mismatch(top_up: TopUp, payment: Payment) -> Reason | None:
    if payment.currency != top_up.currency:
        return Reason.CURRENCY_DIFFERS
    if payment.amount != top_up.amount:
        return Reason.AMOUNT_DIFFERS
    closed = Wallet.objects.filter(pk=top_up.wallet_id, status=Wallet.Status.CLOSED).exists()
    return Reason.WALLET_CLOSED if closed else None


def _credit(top_up: TopUp, payment: Payment, now: datetime) -> str:
    chart.open_currency(payment.currency, now=now)
    purse = chart.wallet(top_up.wallet.account_id, top_up.currency)
    posting = payment.posting(purse.credit(payment.amount), id=uuid7(), description="Top-up")
    post_one(posting, now=now)
    metrics.posted(posting.kind)
    if Wallet.objects.filter(pk=top_up.wallet_id, status=Wallet.Status.CLOSED).exists():
        raise TryAgain("The wallet was closed just now.")
    _end(top_up, Status.COMPLETED, now, transaction_id=posting.id, payment_id=payment.id)
    return "Credited."


def _unsettled(top_up: TopUp, payment: Payment, reason: Reason, now: datetime) -> str:
    """What was paid isn't what was asked for: the top-up is over, and the money waits for a person."""
    detail = f"{payment.amount} {payment.currency} came; it waits for our staff."
    _end(top_up, Status.FAILED, now, failure_code=reason.value, failure_detail=detail)
    return _keep(payment, reason, top_up, now)


def _stray(payment: Payment, *, by_name: bool, now: datetime) -> str:
    if receipts.is_kept(payment, by_name=by_name):
        return "It was kept for a person before."
    return _keep(payment, Reason.UNANNOUNCED if by_name else Reason.UNKNOWN_REFERENCE, None, now)


def _keep(payment: Payment, reason: Reason, top_up: TopUp | None, now: datetime) -> str:
    kept = receipts.keep(payment, reason, top_up, now=now)
    return f"In suspense: {reason.label.lower()}." if kept else "It was kept for a person before."


def _failed(top_up: TopUp | None, detail: str, now: datetime) -> str:
    if top_up is None:
        return "A payment that failed, for nothing of ours."
    if top_up.status == Status.COMPLETED:
        raise Inconclusive("The provider calls a payment failed that is credited; a person must decide.")
    if top_up.status != Status.FAILED:
        # Whoever was refused may try again at the same checkout: it is asked about as long as that may be.
        _end(
            top_up, Status.FAILED, now, failure_code="not_paid", failure_detail=detail or "The payment failed.",
            next_at=top_up.next_at,
        )  # fmt: skip
    return "The payment failed."


def _end(top_up: TopUp, status: Status, now: datetime, **changes: object) -> None:
    if status == Status.COMPLETED:
        changes |= {"failure_code": "", "failure_detail": ""}
    changes["failure_detail"] = str(changes.get("failure_detail", ""))[:255]
    TopUp.objects.filter(pk=top_up.pk).update(**({"next_at": None} | changes), status=status, updated_at=now)
    audit.record(
        actor=TOP_UPS, action=f"top_up.{status}", kind="topup", object_id=top_up.pk,
        data={"wallet": str(top_up.wallet_id), "amount": top_up.amount, "currency": top_up.currency}
        | {name: str(value) for name, value in changes.items() if value and name != "next_at"}, now=now,
    )  # fmt: skip
