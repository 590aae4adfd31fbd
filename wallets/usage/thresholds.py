"""Thresholds as people set them: below how much of a wallet's current balance, or of its runway, they want to hear."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from uuid_utils.compat import uuid7

from ledger.durable import durable, within
from ledger.money import MAX_POSTING
from users import audit
from users.callers import Actor, Caller
from users.permissions import require_scope
from users.validation import ValidationError
from wallets.access import Need, NotFound, enter
from wallets.models import UsageAlert, UsageThreshold, Wallet
from wallets.usage.permissions import WRITE

Kind = UsageThreshold.Kind
# A balance that wavers by less than a tenth around its threshold is one alert; a runway is surer by a quarter.
MARGINS = {Kind.CURRENT.value: 10, Kind.RUNWAY.value: 4}
MOST = 20


@durable
def add(
    wallet_id: UUID, *, kind: str, below: int, actor: Actor, now: datetime, clears_at: int | None = None
) -> UsageThreshold:
    """Open an alert whenever a wallet's current balance falls below so many minor units, or its runway below so many
    hours; it closes at `clears_at`, by itself a tenth above (a quarter for hours).

    Raises NotFound and ValidationError.
    """
    wallet = Wallet.objects.select_for_update(no_key=True).filter(pk=wallet_id).first()
    if wallet is None:
        raise NotFound("wallet")
    clears_at = usual(kind, below) if clears_at is None else clears_at
    _check(wallet, kind, below, clears_at)
    made = UsageThreshold.objects.create(
        id=uuid7(), wallet=wallet, kind=kind, below=below, clears_at=clears_at, created_at=now,
        set_by=":".join(actor.actor)[:60],
    )  # fmt: skip
    _note("threshold_set", made, actor, now)
    return made


@durable
def remove(threshold_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Forget a threshold, and close its alert. Raises NotFound."""
    found = UsageThreshold.objects.select_for_update().filter(pk=threshold_id).first()
    if found is None:
        raise NotFound("threshold")
    UsageAlert.objects.filter(threshold=found, closed_at=None).update(closed_at=now)
    _note("threshold_removed", found, actor, now)
    found.delete()


@durable
def set_for(
    caller: Caller, wallet_id: UUID, *, kind: str, below: int, clears_at: int | None, now: datetime
) -> UsageThreshold:
    """The same for a caller: for owners, and services that report usage. Raises NotFound, PermissionDenied and
    ValidationError.
    """
    _check_may_set(caller, wallet_id)
    return within(add)(wallet_id, kind=kind, below=below, clears_at=clears_at, actor=caller, now=now)


@durable
def remove_for(caller: Caller, wallet_id: UUID, threshold_id: UUID, *, now: datetime) -> None:
    """Remove one for a caller. Raises NotFound and PermissionDenied."""
    _check_may_set(caller, wallet_id)
    if not of(wallet_id).filter(pk=threshold_id).exists():
        raise NotFound("threshold")
    within(remove)(threshold_id, actor=caller, now=now)


def visible(caller: Caller, wallet_id: UUID) -> QuerySet[UsageThreshold]:
    """A wallet's thresholds, for those who may see it. Raises NotFound and PermissionDenied."""
    require_scope(caller, "wallets:read")
    enter(caller, wallet_id, Need.VIEW)
    return of(wallet_id)


def of(wallet_id: UUID) -> QuerySet[UsageThreshold]:
    """A wallet's thresholds."""
    return UsageThreshold.objects.filter(wallet_id=wallet_id).order_by("kind", "below")


def usual(kind: str, below: int) -> int:
    """Where an alert closes unless somebody says otherwise."""
    return below + max(abs(below) // MARGINS[kind], 1)


def _check_may_set(caller: Caller, wallet_id: UUID) -> None:
    require_scope(caller, WRITE)
    enter(caller, wallet_id, Need.MANAGE)


def _check(wallet: Wallet, kind: str, below: int, clears_at: int) -> None:
    least = -MAX_POSTING if kind == Kind.CURRENT else 1
    if not least <= below < clears_at <= MAX_POSTING:
        detail = "It clears above what it opens below, and a runway is an hour at least."
        raise ValidationError.on("below", "out_of_range", detail)
    known = of(wallet.pk)
    if known.filter(kind=kind, below=below).exists():
        raise ValidationError.on("below", "taken", "There is such a threshold already.")
    if known.count() >= MOST:
        raise ValidationError.on("below", "too_many", f"A wallet has {MOST} thresholds at most; remove one first.")


def _note(verb: str, found: UsageThreshold, actor: Actor, now: datetime) -> None:
    data = {"kind": found.kind, "below": found.below, "clears_at": found.clears_at}
    audit.record(actor=actor, action=f"usage.{verb}", kind="wallet", object_id=found.wallet_id, data=data, now=now)
