"""Balances made anew from the entries, where something has damaged those that are kept. Entries are never touched.

The application's role couldn't: what is held moves by the holds alone, and the balances of sealed days by nobody. So it
is done as the tables' owner, and the laws bind the owner too. A lane is repaired under them: law 3 takes no balance but
the last entry's. A sealed day's balances are repaired past the triggers that guard them, but only where they then come
to what was sealed.
"""

from collections.abc import Iterable
from datetime import date
from typing import ClassVar, NamedTuple
from uuid import UUID

from django.db import transaction

from ledger import recount, sql
from ledger.seals import chain
from ledger.seals.parts import BALANCES

OWNER = "owner"


class Irreparable(Exception):
    """The entries themselves were damaged: nothing was changed, and only a backup has what they were."""

    code: ClassVar[str] = "invalid_state"
    title: ClassVar[str] = "Irreparable"


class Lane(NamedTuple):
    """A lane that keeps something else than its entries and open holds say, in minor units, a debit positive."""

    account: UUID
    number: int
    kept_version: int
    kept_balance: int
    kept_held: int
    kept_pending: int
    version: int
    balance: int
    held: int
    pending: int
    sound: bool

    def __str__(self) -> str:
        kept, said = ", ".join(map(str, self[2:6])), ", ".join(map(str, self[6:10]))
        return f"account {self.account} lane {self.number} keeps version, balance, held, pending {kept}; it is {said}"


class Day(NamedTuple):
    """A sealed day on which an account has another balance than its entries say; None where there is no such row."""

    account: UUID
    day: date
    kept: tuple[int | None, int | None, int | None]
    said: tuple[int | None, int | None, int | None]

    def __str__(self) -> str:
        kept, said = (", ".join("nothing" if amount is None else str(amount) for amount in row) for row in self[2:])
        return f"account {self.account} on {self.day} keeps debits, credits, balance {kept}; it is {said}"


def differing_lanes() -> list[Lane]:
    """The lanes that are to be repaired."""
    return [Lane(*row) for row in sql.rows(recount.DIFFERING_LANES)]


def differing_days() -> list[Day]:
    """The balances of sealed days that are to be repaired."""
    return [Day(row[0], row[1], row[2:5], row[5:8]) for row in sql.rows(recount.DIFFERING_DAYS)]


LOCK = "LOCK TABLE ledger_transaction, ledger_balance, ledger_entry, ledger_hold IN SHARE ROW EXCLUSIVE MODE"


def repair() -> tuple[list[Lane], list[Day]]:
    """Repair what differs, as the owner, in one transaction for which postings wait; returns what was repaired.

    Raises Irreparable, and IntegrityError where a law forbids what the entries say.
    """
    with sql.using(OWNER), transaction.atomic(using=OWNER, durable=True):
        sql.plainly()
        sql.run(LOCK)
        lanes, days = differing_lanes(), differing_days()
        _repair_lanes(lanes)
        _repair_days(days)
    return lanes, days


REPAIR_LANES = """
UPDATE ledger_balance b SET version = s.version, balance = s.balance, held = s.held, pending = s.pending
FROM unnest(%s::uuid[], %s::int2[], %s::int8[], %s::int8[], %s::int8[], %s::int8[])
    AS s (account_id, lane, version, balance, held, pending)
WHERE b.account_id = s.account_id AND b.lane = s.lane
"""


def _repair_lanes(lanes: list[Lane]) -> None:
    if unsound := [lane for lane in lanes if not lane.sound]:
        raise Irreparable(f"The entries don't add up: {unsound[0]}; nothing was changed. Restore them from a backup.")
    if lanes:
        accounts, numbers, *_, version, balance, held, pending, _sound = map(list, zip(*lanes, strict=True))
        sql.run(REPAIR_LANES, (accounts, numbers, version, balance, held, pending))


FORGET = "DELETE FROM ledger_daybalance WHERE account_id = %s AND day = %s"
REMEMBER = "INSERT INTO ledger_daybalance (account_id, day, debits, credits, balance) VALUES (%s, %s, %s, %s, %s)"


def _repair_days(days: list[Day]) -> None:
    if not days:
        return
    sql.run("ALTER TABLE ledger_daybalance DISABLE TRIGGER USER")
    for day in days:
        sql.run(FORGET, (day.account, day.day))
        if None not in day.said:
            sql.run(REMEMBER, (day.account, day.day, *day.said))
    sql.run("ALTER TABLE ledger_daybalance ENABLE TRIGGER USER")
    _check_are_as_sealed({day.day for day in days})


def _check_are_as_sealed(days: Iterable[date]) -> None:
    for day in sorted(days):
        if not chain.is_as_sealed(BALANCES, day):
            raise Irreparable(f"The entries say of {day} what wasn't sealed; nothing was changed. See verify_ledger.")
