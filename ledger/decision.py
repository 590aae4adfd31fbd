"""The decision: what a list of requests does to locked lanes. Pure, in memory, in order; each sees those before it.

Every business reason to refuse lives here. What `decide` accepts, the database must accept as well.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, cast
from uuid import UUID

from msgspec import Struct

from ledger.money import MAX_BALANCE, MAX_POSTING
from ledger.requests import HELD, Close, Place, Posting, debits


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


# A lane's place in the lock order: its account, and its number there.
Key = tuple[UUID, int]


class Lane(Struct, eq=False):
    """A balance row as it was locked, moved in memory by what is decided. `balance` is positive for a debit.

    Two are equal only where they are the same object: the deciding of thousands looks them up all the time.
    """

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


class Move(Struct, eq=False):
    """What a list of requests moves a lane by: its place in the list of them, from 1, the sum, and how many entries."""

    place: int
    amount: int = 0
    entries: int = 0


# An entry to be written: the places of its lane and its transaction, from 1, in what was touched and decided; then how
# many entries of its lane it makes, its leg, its amount, and what the lane is moved by up to it. A plain tuple:
# thousands are made at a time.
EntryRow = tuple[int, int, int, int, int, int]


@dataclass(slots=True)
class Decision:
    """What is to be written at a moment, told from where the lanes stand; and a refusal (or None) for each request."""

    moment: datetime
    refusals: list[Refused | None] = field(default_factory=list)
    transactions: list[Posting] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    touched: dict[Lane, Move] = field(default_factory=dict)
    closes: list[Close] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


def decide(
    postings: Sequence[Posting],
    moves: Sequence[Sequence[Lane | None]],
    lanes: Mapping[Key, Lane],
    holds: MutableMapping[UUID, OpenHold],
    *,
    now: datetime,
) -> Decision:
    """Run the requests in order over the locked lanes, moving them: `moves` has those of each one's legs, None where
    there is none. They have one moment, which is now unless a lane was moved later.
    """
    decision = Decision(max([now, *[lane.posted_at for moved in moves for lane in moved if lane]]))
    for posting, moved in zip(postings, moves, strict=True):
        refusal = _refusal(posting, moved, lanes, holds)
        decision.refusals.append(refusal)
        if refusal is None:
            _apply(posting, cast(Sequence[Lane], moved), lanes, holds, decision)
    return decision


def lanes_of(posting: Posting, spin: int) -> list[Key]:
    """The lane each leg goes to: the only one, or for a busy account the one this call happens to use."""
    return [(account, spin % lanes if lanes > 1 else 0) for account, _, lanes in posting.legs]


def _refusal(
    posting: Posting, moved: Sequence[Lane | None], lanes: Mapping[Key, Lane], holds: Mapping[UUID, OpenHold]
) -> Refused | None:
    """The ladder: the first reason why the request can't be, or None when it must succeed."""
    balances: dict[Lane, int] = {}
    currencies = set()
    for leg, lane in zip(posting.legs, moved, strict=True):
        if lane is None:
            return _unknown(leg.account)
        balances[lane] = balances.get(lane, lane.balance) + leg.amount
        currencies.add(lane.currency)
    if len(currencies) > 1 and (mixed := _mixed(posting, moved)):
        return mixed
    if debits(posting) > MAX_POSTING:
        return AmountTooLarge(f"A transaction may move {MAX_POSTING} at most.", maximum=MAX_POSTING)
    reserved: dict[Lane, int] = {}
    for close in posting.closes:
        hold = holds.get(close.hold)
        if hold is None or not hold.open or hold.account != close.account or close.captured > hold.amount:
            return HoldClosed(f"The hold {close.hold} is closed already, or smaller than {close.captured}.")
        lane = lanes[close.account, 0]
        reserved[lane] = reserved.get(lane, 0) - hold.amount
    for place in posting.places:
        lane = lanes.get((place.account, 0))
        if lane is None:
            return _unknown(place.account)
        reserved[lane] = reserved.get(lane, 0) + place.amount
    for lane in reserved:
        balances.setdefault(lane, lane.balance)
    return _no_room(balances, reserved)


def _unknown(account: UUID) -> UnknownAccount:
    return UnknownAccount(f"There is no account {account}.", account=str(account))


def _mixed(posting: Posting, moved: Sequence[Lane | None]) -> CurrencyMismatch | None:
    """The refusal where the legs don't sum to zero in each of their currencies."""
    totals: dict[str, int] = {}
    for leg, lane in zip(posting.legs, moved, strict=True):
        if lane is not None:
            totals[lane.currency] = totals.get(lane.currency, 0) + leg.amount
    if not any(totals.values()):
        return None
    return CurrencyMismatch(f"{' and '.join(sorted(totals))} can't be posted against each other.")


def _no_room(balances: Mapping[Lane, int], reserved: Mapping[Lane, int]) -> Refused | None:
    """The refusal where a lane can't have the balance, with so much more of it reserved."""
    for lane, balance in balances.items():
        if not -MAX_BALANCE <= balance <= MAX_BALANCE:
            return AmountTooLarge(f"A balance may reach {MAX_BALANCE} at most.", maximum=MAX_BALANCE)
        if lane.floor is None:
            continue
        left = lane.sign * balance - lane.held - lane.pending - reserved.get(lane, 0)
        if left < lane.floor:
            available, asked = lane.available - lane.floor, lane.available - left
            return InsufficientFunds(f"{available} is available; {asked} was asked for.", available=available)
    return None


def _apply(
    posting: Posting,
    moved: Sequence[Lane],
    lanes: Mapping[Key, Lane],
    holds: MutableMapping[UUID, OpenHold],
    decision: Decision,
) -> None:
    """Move the lanes and note what is to be written. Nothing is refused from here on."""
    for close in posting.closes:
        hold = holds[close.hold]
        holds[close.hold] = hold._replace(open=False)
        lanes[close.account, 0].reserve(hold.kind, -hold.amount)
        decision.closes.append(close)
    if moved:
        decision.transactions.append(posting)
        transaction, touched, entries = len(decision.transactions), decision.touched, decision.entries
        for number, (leg, lane) in enumerate(zip(posting.legs, moved, strict=True), start=1):
            amount = leg.amount
            lane.balance += amount
            lane.version += 1
            lane.posted_at = decision.moment
            move = touched.get(lane)
            if move is None:
                move = touched[lane] = Move(len(touched) + 1)
            move.amount += amount
            move.entries += 1
            entries.append((move.place, transaction, move.entries, number, amount, move.amount))
    for place in posting.places:
        lanes[place.account, 0].reserve(place.kind, place.amount)
        decision.places.append(place)
