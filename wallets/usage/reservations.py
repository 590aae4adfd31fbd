"""Gating what is expensive: may a wallet use so much more, and money held for it until it is captured or released."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from ledger import holds
from ledger.accounts import floor_of
from ledger.decision import InsufficientFunds
from ledger.requests import Close, Place, Posting
from users import audit
from users.callers import Caller
from users.validation import ValidationError
from wallets import chart
from wallets.access import Access, Need, NotFound, WalletRefused, enter
from wallets.balances import Ask
from wallets.models import Meter, UsageReservation
from wallets.opening import InvalidState
from wallets.usage import accounts, balances, policies, quotes, settlement
from wallets.usage.amounts import exact
from wallets.usage.balances import Balance
from wallets.usage.permissions import check_may_ask, check_may_report

Status = UsageReservation.Status


@dataclass(frozen=True, slots=True)
class Want:
    """So many minor units, or so much of a meter."""

    amount: int | None = None
    meter: str | None = None
    quantity: Decimal | None = None

    def check(self) -> None:
        """Raise ValidationError unless it is one of the two."""
        if (self.amount is None) == (self.meter is None) or (self.meter is None) != (self.quantity is None):
            raise ValidationError.on("amount", "invalid", "Name an amount, or a meter and a quantity of it.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is allowed, what it would cost in whole minor units, and what is left now; `code` tells why not."""

    allowed: bool
    amount: int
    balance: Balance
    code: str = ""
    detail: str = ""
    reservation: UsageReservation | None = None


def check(caller: Caller, wallet_id: UUID, want: Want, *, now: datetime) -> Verdict:
    """Whether a wallet may use so much more, by its current balance and its policy; nothing is held.

    Raises NotFound, PermissionDenied and ValidationError.
    """
    check_may_ask(caller)
    return _judge(caller, enter(caller, wallet_id, Need.VIEW), want, now, held=False)


def reserve(caller: Caller, wallet_id: UUID, want: Want, *, seconds: int, now: datetime) -> Verdict:
    """The same, and where it is allowed the money is held for so many seconds, inside the caller's transaction.

    A hold needs the money to be there, whatever the policy bills. Raises NotFound, PermissionDenied and
    ValidationError.
    """
    check_may_report(caller)
    accounts.lock(enter(caller, wallet_id, Need.SPEND), now=now)
    # Under lock what is left can't be promised twice, nor the wallet be frozen meanwhile.
    wallet = enter(caller, wallet_id, Need.SPEND)
    verdict = _judge(caller, wallet, want, now, held=True)
    if not verdict.allowed or not verdict.amount:
        return verdict
    made = _hold(caller, wallet, want, verdict.amount, now + timedelta(seconds=seconds), now)
    return replace(verdict, reservation=made)


def find(caller: Caller, id: UUID) -> UsageReservation:
    """A reservation. Raises NotFound and PermissionDenied."""
    check_may_report(caller)
    found = UsageReservation.objects.select_related("meter").filter(pk=id).first()
    if found is None:
        raise NotFound("reservation")
    return found


def capture(caller: Caller, id: UUID, amount: int | None, *, now: datetime) -> UsageReservation:
    """Spend an amount of a reservation, all of it where none is named, and give the rest back; inside the caller's
    transaction.

    Raises NotFound, PermissionDenied, InvalidState, ValidationError and WalletFrozen.
    """
    found = _open(caller, id, now)
    amount = found.amount if amount is None else amount
    if amount > found.amount:
        raise ValidationError.on("amount", "out_of_range", f"The reservation is of {found.amount}; capture no more.")
    wallet = enter(caller, found.wallet_id, Need.SPEND)
    wallet.check_may_pay()
    legs = (
        chart.wallet(wallet.account, wallet.currency).debit(amount),
        chart.usage(wallet.currency).credit(amount),
    )  # fmt: skip
    closes = (Close(wallet.account, found.hold_id, amount),)
    posting = Posting("usage", f"reservation:{found.id}", legs, closes=closes, description="Usage that was reserved")
    settlement.post([posting], {wallet.currency}, now=now)
    return _close(caller, found, Status.CAPTURED, now, captured=amount, transaction_id=posting.id)


def release(caller: Caller, id: UUID, *, now: datetime) -> UsageReservation:
    """Give all of a reservation back, inside the caller's transaction.

    Raises NotFound, PermissionDenied and InvalidState.
    """
    found = _open(caller, id, now)
    holds.release(enter(caller, found.wallet_id, Need.SPEND).account, found.hold_id, now=now)
    return _close(caller, found, Status.RELEASED, now)


@exact
def _judge(caller: Caller, wallet: Access, want: Want, now: datetime, *, held: bool) -> Verdict:
    want.check()
    amount = _whole(wallet, want, now)
    (balance,) = balances.read([Ask(caller, wallet.id)], now=now)
    if isinstance(balance, NotFound):
        raise balance
    try:
        wallet.check_may_pay()
    except WalletRefused as refusal:
        return Verdict(False, amount, balance, refusal.code, str(refusal))
    floor = floor_of(wallet.account) or 0
    room = policies.room(balance.overage, balance.standing.available, floor, balance.unsettled, held=held)
    if room is not None and amount > room:
        detail = f"{amount} {wallet.currency} minor units are more than what is left and not used yet."
        return Verdict(False, amount, balance, InsufficientFunds.code, detail)
    return Verdict(True, amount, balance)


def _whole(wallet: Access, want: Want, now: datetime) -> int:
    """What is wanted in whole minor units, rounded up: so much must be there."""
    if want.amount is not None:
        return want.amount
    cost = quotes.quote(wallet, str(want.meter), want.quantity or Decimal(0), now=now)
    return int(cost.to_integral_value(ROUND_CEILING))


def _hold(
    caller: Caller, wallet: Access, want: Want, amount: int, expires_at: datetime, now: datetime
) -> UsageReservation:
    id = uuid7()
    place = Place(wallet.account, amount, f"reservation:{id}", expires_at=expires_at)
    holds.place(place, now=now)
    meter = Meter.objects.get(slug=want.meter) if want.meter else None
    made = UsageReservation.objects.create(
        id=id, wallet_id=wallet.id, hold_id=place.id, amount=amount, currency=wallet.currency, meter=meter,
        quantity=want.quantity, expires_at=expires_at, created_by=caller.key, created_at=now,
    )  # fmt: skip
    data = {"wallet": str(wallet.id), "amount": made.amount, "currency": made.currency}
    audit.record(actor=caller, action="usage.reserved", kind="reservation", object_id=id, data=data, now=now)
    return made


def _open(caller: Caller, id: UUID, now: datetime) -> UsageReservation:
    check_may_report(caller)
    found = UsageReservation.objects.select_for_update(no_key=True, of=("self",)).filter(pk=id).first()
    if found is None:
        raise NotFound("reservation")
    if found.status != Status.OPEN:
        raise InvalidState(f"The reservation was {found.status} already.")
    if found.expires_at <= now:
        raise InvalidState("The reservation has lapsed, and its money was given back; make another one.")
    return found


def _close(caller: Caller, found: UsageReservation, status: Status, now: datetime, **more: Any) -> UsageReservation:
    UsageReservation.objects.filter(pk=found.pk).update(status=status, closed_at=now, **more)
    data = {"wallet": str(found.wallet_id), "amount": more.get("captured", 0)}
    audit.record(actor=caller, action=f"usage.{status}", kind="reservation", object_id=found.pk, data=data, now=now)
    return find(caller, found.pk)
