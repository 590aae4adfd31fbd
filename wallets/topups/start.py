"""Starting a top-up: the wish is committed first, then the provider opens a checkout with no transaction open.

Whoever repeats it with the same key gets the same top-up, and the provider the same reference; only where that one's
checkout was opened and its address lost on the way, the next one.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from uuid_utils.compat import uuid7

from ledger.durable import durable
from users import audit
from users.callers import Caller
from users.models import User
from users.permissions import require_person
from users.validation import ValidationError
from wallets.access import Need, NotFound, enter
from wallets.idempotency import Claim, IdempotencyInProgress, IdempotencyKeyReused
from wallets.models import TopUp
from wallets.providers.port import (
    Capability,
    CheckoutExists,
    DepositIntent,
    NotSupported,
    PaymentProvider,
    ProviderUnavailable,
)
from wallets.providers.references import deposit_reference, next_deposit_reference
from wallets.providing import chosen, provider

# How long a checkout may be paid, as far as we wait for it; money that comes later is credited all the same.
LIFETIME = timedelta(hours=24)
# Nobody pays sooner than this.
FIRST_LOOK = timedelta(seconds=15)
# How long one request has for the provider's answer before another one with its key may ask.
OPENING = timedelta(seconds=30)


def start(
    *, caller: Caller, wallet_id: UUID, amount: int, provider_slug: str | None, claim: Claim, now: datetime
) -> TopUp:
    """Start a top-up, or go on with the one of this key.

    Raises PermissionDenied, NotFound, ValidationError, WalletClosed, IdempotencyKeyReused, IdempotencyInProgress, and
    ProviderUnavailable: then the same key tries again.
    """
    require_person(caller)
    top_up = of_claim(claim) or _intend(caller, wallet_id, amount, _taker(provider_slug), claim, now)
    if not top_up.checkout_url and top_up.status == TopUp.Status.PENDING:
        _open(top_up, caller, now)
    return top_up


def of_claim(claim: Claim) -> TopUp | None:
    """The top-up that was started with a key. Raises IdempotencyKeyReused where it was for something else."""
    found = TopUp.objects.filter(created_by=claim.caller, idempotency_key=claim.key).first()
    if found is not None and bytes(found.fingerprint) != claim.fingerprint:
        raise IdempotencyKeyReused
    return found


def visible(caller: Caller) -> QuerySet[TopUp]:
    """The top-ups that a caller may see: those of the wallets that they may see."""
    return TopUp.objects.filter(Q() if caller.kind == "service" else Q(wallet__members__user_id=caller.id))


def find(caller: Caller, id: UUID) -> TopUp:
    """One of them. Raises NotFound."""
    top_up = visible(caller).filter(pk=id).first()
    if top_up is None:
        raise NotFound("top-up")
    return top_up


def _taker(slug: str | None) -> PaymentProvider:
    bank = chosen(slug)
    if Capability.CHECKOUT not in bank.capabilities:
        raise ValidationError.on("provider", "not_supported", f"{bank.slug} takes no deposits; name another provider.")
    return bank


@durable
def _intend(caller: Caller, wallet_id: UUID, amount: int, bank: PaymentProvider, claim: Claim, now: datetime) -> TopUp:
    wallet = enter(caller, wallet_id, Need.SPEND)
    wallet.check_may_receive()
    id = uuid7()
    try:
        top_up = TopUp.objects.create(
            id=id, wallet_id=wallet.id, provider=bank.slug, reference=deposit_reference(id), amount=amount,
            currency=wallet.currency, created_by=caller.key, idempotency_key=claim.key, fingerprint=claim.fingerprint,
            created_at=now, updated_at=now, expires_at=now + LIFETIME, next_at=now + FIRST_LOOK,
        )  # fmt: skip
    except IntegrityError as error:
        raise IdempotencyInProgress from error
    data: dict[str, Any] = {"wallet": str(wallet.id), "amount": amount, "provider": bank.slug}
    audit.record(actor=caller, action="top_up.requested", kind="topup", object_id=id, data=data, now=now)
    return top_up


def _open(top_up: TopUp, caller: Caller, now: datetime) -> None:
    """Ask the provider for the checkout, one request at a time."""
    _claim_opening(top_up, now)
    # Whoever was so slow that another request took a new reference has nothing to say any more.
    row = TopUp.objects.filter(pk=top_up.pk, reference=top_up.reference, checkout_url="")
    try:
        handle = provider(top_up.provider).start_deposit(_intent(top_up, caller))
    except CheckoutExists as error:
        # Nobody was ever told its address, so nobody pays there; if somebody does, it waits in suspense for a person.
        row.update(reference=next_deposit_reference(top_up.reference), opening_until=None)
        raise ProviderUnavailable(f"{error} The same key opens another one.") from error
    except Exception as error:
        # The next request with this key needn't wait.
        row.update(opening_until=None)
        if isinstance(error, NotSupported):
            raise ValidationError.on("provider", "not_supported", str(error)) from error
        raise
    top_up.checkout_url, top_up.provider_id = handle.checkout_url, handle.provider_id[:100]
    if not row.update(checkout_url=top_up.checkout_url, provider_id=top_up.provider_id, opening_until=None):
        raise IdempotencyInProgress


def _claim_opening(top_up: TopUp, now: datetime) -> None:
    free = Q(opening_until__isnull=True) | Q(opening_until__lt=now)
    claimed = TopUp.objects.filter(free, pk=top_up.pk, checkout_url="").update(opening_until=now + OPENING)
    if not claimed:
        raise IdempotencyInProgress


def _intent(top_up: TopUp, caller: Caller) -> DepositIntent:
    user = User.objects.get(pk=caller.id)
    return DepositIntent(
        reference=top_up.reference, amount=top_up.amount, currency=top_up.currency, email=user.email,
        name=user.full_name, return_url=settings.TOP_UP_RETURN_URL,
    )  # fmt: skip
