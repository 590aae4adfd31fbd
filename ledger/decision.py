"""The decision: what a list of requests does to locked lanes. Pure, in memory, in order; each sees those before it.

Every business reason to refuse lives here. What `decide` accepts, the database must accept as well.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from ledger.money import MAX_BALANCE, MAX_POSTING
from ledger.requests import HELD, Close, Leg, Place, Posting, debits


class Refused(Exception):
    """The books refuse a request; nothing of it was written. `data` tells a program why, str() a person."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"

    def __init__(self, detail: str, **data: Any) -> None:
        super().__init__(detail)
        self.data = data


class InsufficientFunds(Refused):
    code = "insufficient_funds"
    title = "Insufficient funds"


class AmountTooLarge(Refused):
    code = "amount_too_large"
    title = "Amount too large"


class CurrencyMismatch(Refused):
    code = "currency_mismatch"
    title = "Currencies differ"


class UnknownAccount(Refused):
    code = "unknown_account"
    title = "No such account"


class HoldClosed(Refused):
    code = "hold_closed"
    title = "The hold is closed"


class Key(NamedTuple):
    """A lane's place in the lock order."""

    account: UUID
    lane: int


@dataclass(slots=True)
class Lane:
    """A balance row as it was locked, moved in memory by what is decided. `balance` is positive for a debit."""

    account: UUID
    lane: int
    currency: str
    sign: int
    floor: int | None
    balance: int
    version: int
    held: int
    pending: int
    posted_at: datetime

    @property
    def available(self) -> int:
        """What could be spent down to nothing, in minor units on the normal side; the floor is not in it."""
        return self.sign * self.balance - self.held - self.pending

    def reserve(self, kind: str, amount: int) -> None:
        """Move `amount` into (or, negative, out of) what is held or pending."""
        if kind == HELD:
            self.held += amount
        else:
            self.pending += amount


class OpenHold(NamedTuple):
    """A hold as the books have it."""

    id: UUID
    account: UUID
    kind: str
    amount: int
    open: bool


class EntryRow(NamedTuple):
    """An entry to be written; `transaction` and `lane` are positions in what was decided."""

    account: UUID
    lane: int
    version: int
    transaction: UUID
    leg: int
    amount: int
    balance: int
    posted_at: datetime


@dataclass(slots=True)
class Decision:
    """What is to be written, and a refusal (or None) for each request."""

    refusals: list[Refused | None] = field(default_factory=list)
    transactions: list[tuple[Posting, datetime]] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    touched: set[Key] = field(default_factory=set)
    closes: list[Close] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


def decide(
    postings: Sequence[Posting],
    lanes: Mapping[Key, Lane],
    holds: MutableMapping[UUID, OpenHold],
    *,
    spin: int,
    now: datetime,
) -> Decision:
    """Run the requests in order over the locked lanes, moving them. `spin` chooses the lane of a busy account."""
    decision = Decision()
    for posting in postings:
        refusal = _refusal(posting, lanes, holds, spin)
        decision.refusals.append(refusal)
        if refusal is None:
            _apply(posting, lanes, holds, spin, now, decision)
    return decision


def lane_of(leg: Leg, spin: int) -> Key:
    """The lane a leg goes to: the only one, or for a busy account the one this call happens to use."""
    return Key(leg.account, spin % leg.lanes if leg.lanes > 1 else 0)


def _refusal(posting: Posting, lanes: Mapping[Key, Lane], holds: Mapping[UUID, OpenHold], spin: int) -> Refused | None:
    """The ladder: the first reason why the request can't be, or None when it must succeed."""
    room: dict[Key, list[int]] = {}
    totals: dict[str, int] = {}
    for leg in posting.legs:
        key = lane_of(leg, spin)
        lane = lanes.get(key)
        if lane is None:
            return UnknownAccount(f"There is no account {leg.account}.", account=str(leg.account))
        totals[lane.currency] = totals.get(lane.currency, 0) + leg.amount
        room.setdefault(key, [lane.balance, 0])[0] += leg.amount
    if any(totals.values()):
        return CurrencyMismatch(f"{' and '.join(sorted(totals))} can't be posted against each other.")
    if posting.legs and debits(posting) > MAX_POSTING:
        return AmountTooLarge(f"A transaction may move {MAX_POSTING} at most.", maximum=MAX_POSTING)
    for close in posting.closes:
        hold = holds.get(close.hold)
        if hold is None or not hold.open or hold.account != close.account or close.captured > hold.amount:
            return HoldClosed(f"The hold {close.hold} is closed already, or smaller than {close.captured}.")
        key = Key(close.account, 0)
        room.setdefault(key, [lanes[key].balance, 0])[1] -= hold.amount
    for place in posting.places:
        key = Key(place.account, 0)
        if key not in lanes:
            return UnknownAccount(f"There is no account {place.account}.", account=str(place.account))
        room.setdefault(key, [lanes[key].balance, 0])[1] += place.amount
    for key, (balance, reserved) in room.items():
        lane = lanes[key]
        if not -MAX_BALANCE <= balance <= MAX_BALANCE:
            return AmountTooLarge(f"A balance may reach {MAX_BALANCE} at most.", maximum=MAX_BALANCE)
        left = lane.sign * balance - lane.held - lane.pending - reserved
        if lane.floor is not None and left < lane.floor:
            available, asked = lane.available - lane.floor, lane.available - left
            return InsufficientFunds(
                f"{available} is available; {asked} was asked for.", available=available, account=str(lane.account)
            )
    return None


def _apply(
    posting: Posting,
    lanes: Mapping[Key, Lane],
    holds: MutableMapping[UUID, OpenHold],
    spin: int,
    now: datetime,
    decision: Decision,
) -> None:
    """Move the lanes and note what is to be written. Nothing is refused from here on."""
    for close in posting.closes:
        hold = holds[close.hold]
        holds[close.hold] = hold._replace(open=False)
        lanes[Key(close.account, 0)].reserve(hold.kind, -hold.amount)
        decision.closes.append(close)
    if posting.legs:
        keys = [lane_of(leg, spin) for leg in posting.legs]
        posted_at = max(now, *(lanes[key].posted_at for key in keys))
        decision.transactions.append((posting, posted_at))
        for number, (leg, key) in enumerate(zip(posting.legs, keys, strict=True), start=1):
            lane = lanes[key]
            lane.balance += leg.amount
            lane.version += 1
            lane.posted_at = posted_at
            decision.entries.append(
                EntryRow(lane.account, lane.lane, lane.version, posting.id, number, leg.amount, lane.balance, posted_at)
            )
        decision.touched.update(keys)
    for place in posting.places:
        lanes[Key(place.account, 0)].reserve(place.kind, place.amount)
        decision.places.append(place)
