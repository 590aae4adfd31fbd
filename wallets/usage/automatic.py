"""Automatic top-ups as owners set them up: from which wallet of theirs, below what, by how much, and how often."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.durable import durable
from ledger.money import MAX_POSTING
from users import audit
from users.callers import Actor, Caller
from users.permissions import require_scope
from users.validation import FieldError, ValidationError
from wallets.access import Need, NotFound, enter
from wallets.models import AutomaticTopUp, Wallet
from wallets.transfers import CurrencyMismatch, SameWallet

# A minute at least lies between two: what a wallet loses by a mistake in its meters, it loses slowly.
SHORTEST_COOL_DOWN, LONGEST_COOL_DOWN = 60, 30 * 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """Below `below` minor units of current balance, `amount` is moved from `source`; not twice within `cool_down`
    seconds, and at most `monthly_cap` in a calendar month (UTC).
    """

    source: UUID
    below: int
    amount: int
    monthly_cap: int | None = None
    cool_down: int = 600

    def check(self) -> None:
        """Raise ValidationError for numbers that make no sense."""
        wrong = {
            "below": not -MAX_POSTING <= self.below <= MAX_POSTING,
            "amount": not 0 < self.amount <= MAX_POSTING,
            "monthly_cap": self.monthly_cap is not None and not self.amount <= self.monthly_cap <= 10 * MAX_POSTING,
            "cool_down": not SHORTEST_COOL_DOWN <= self.cool_down <= LONGEST_COOL_DOWN,
        }
        detail = "An amount is above 0, a cap no less than it, and a cool-down from a minute to 30 days."
        if errors := [FieldError(field=name, code="out_of_range", detail=detail) for name, is_ in wrong.items() if is_]:
            raise ValidationError(errors)


@durable
def set_up(caller: Caller, wallet_id: UUID, plan: Plan, *, now: datetime) -> AutomaticTopUp:
    """Top a wallet up by itself from now on, in its owner's name; one that was set up before is replaced.

    For whoever manages both wallets. Raises NotFound, PermissionDenied, ValidationError, CurrencyMismatch and
    SameWallet.
    """
    require_scope(caller, "transfers:write")
    plan.check()
    if wallet_id == plan.source:
        raise SameWallet
    _check(*(Wallet.objects.get(pk=enter(caller, id, Need.MANAGE).id) for id in (wallet_id, plan.source)))
    values = {
        "source_id": plan.source, "below": plan.below, "amount": plan.amount, "monthly_cap": plan.monthly_cap,
        "cool_down": plan.cool_down,
    }  # fmt: skip
    fresh = {"is_active": True, "declines": 0, "next_at": None, "set_by": caller.key[:60], "changed_at": now}
    made, _ = AutomaticTopUp.objects.update_or_create(wallet_id=wallet_id, defaults=values | fresh)
    _note("set_up", wallet_id, caller, now, **values | {"source_id": str(plan.source)})
    return made


def find(caller: Caller, wallet_id: UUID) -> AutomaticTopUp:
    """A wallet's automatic top-up. Raises NotFound and PermissionDenied."""
    require_scope(caller, "wallets:read")
    enter(caller, wallet_id, Need.VIEW)
    return _found(AutomaticTopUp.objects.filter(pk=wallet_id).first())


@durable
def switch_off(caller: Caller, wallet_id: UUID, *, now: datetime) -> None:
    """Top a wallet up no longer. Raises NotFound and PermissionDenied."""
    require_scope(caller, "transfers:write")
    enter(caller, wallet_id, Need.MANAGE)
    _switch_off(wallet_id, caller, "", now)


@durable
def stop(wallet_id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """The same by staff, who say why. Raises NotFound and ValidationError."""
    _check_reason(reason)
    _switch_off(wallet_id, actor, reason.strip(), now)


@durable
def try_again(wallet_id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """Wait no longer after what was declined, and switch it on again if it was off. Raises NotFound and
    ValidationError.
    """
    _check_reason(reason)
    _locked(wallet_id)
    AutomaticTopUp.objects.filter(pk=wallet_id).update(is_active=True, declines=0, next_at=None, changed_at=now)
    _note("try_again", wallet_id, actor, now, reason=reason.strip())


def _check(wallet: Wallet, source: Wallet) -> None:
    if wallet.owner_id is None or wallet.owner_id != source.owner_id:
        detail = "Both wallets belong to one owner, in whose name the money is moved."
        raise ValidationError.on("source", "invalid", detail)
    if wallet.currency != source.currency:
        raise CurrencyMismatch(source.currency, wallet.currency)


def _switch_off(wallet_id: UUID, actor: Actor, reason: str, now: datetime) -> None:
    if _locked(wallet_id).is_active:
        AutomaticTopUp.objects.filter(pk=wallet_id).update(is_active=False, changed_at=now)
        _note("switched_off", wallet_id, actor, now, reason=reason)


def _locked(wallet_id: UUID) -> AutomaticTopUp:
    return _found(AutomaticTopUp.objects.select_for_update(no_key=True).filter(pk=wallet_id).first())


def _found(found: AutomaticTopUp | None) -> AutomaticTopUp:
    if found is None:
        raise NotFound("automatic top-up")
    return found


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ValidationError.on("reason", "required", "Say why.")


def _note(verb: str, wallet_id: UUID, actor: Actor, now: datetime, **data: object) -> None:
    audit.record(actor=actor, action=f"automatic_top_up.{verb}", kind="wallet", object_id=wallet_id, data=data, now=now)
