"""What a day's seal is over: for each sealed table the rows that were written on the day, each as one line of text.

A line is what COPY writes, in UTC: the columns that are named here, with tabs between them. So an auditor has the same
lines from psql, and their hash from sha256sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import NamedTuple, Self

from ledger import sql
from ledger.closing import DAY, midnight


@dataclass(frozen=True, slots=True)
class Part:
    """A sealed table. `rows` selects those of a day, in the order of what names them: an id, and perhaps a number below
    it, which are its first columns and are put into `noun`. `dated` is when a row was written, as a date.
    """

    name: str
    table: str
    rows: str
    noun: str
    dated: str = "(posted_at AT TIME ZONE 'UTC')::date"
    numbered: bool = False


TRANSACTIONS = Part(
    "transactions",
    "ledger_transaction",
    """
SELECT id, kind, reference, external_reference, description, metadata, reverses_id, posted_at, effective_at
FROM ledger_transaction WHERE posted_at >= %(since)s AND posted_at < %(until)s ORDER BY id
""",
    "transaction {id}",
    dated="(effective_at AT TIME ZONE 'UTC')::date",
)
# An entry's `posted_at` is its transaction's, which law 1 sees to.
ENTRIES = Part(
    "entries",
    "ledger_entry",
    """
SELECT transaction_id, leg, account_id, lane, version, amount, balance
FROM ledger_entry WHERE posted_at >= %(since)s AND posted_at < %(until)s ORDER BY transaction_id, leg
""",
    "entry {number} of transaction {id}",
    numbered=True,
)
BALANCES = Part(
    "balances",
    "ledger_daybalance",
    """
SELECT account_id, debits, credits, balance
FROM ledger_daybalance WHERE day >= %(since)s::date AND day < %(until)s::date ORDER BY account_id
""",
    "the balance of account {id}",
    dated="day",
)

# Who uses the books may have more sealed with them.
parts: list[Part] = [TRANSACTIONS, ENTRIES, BALANCES]


class Leaf(NamedTuple):
    """One row under a seal: the id and the number that name it, and how its own hash begins."""

    id: bytes
    number: int
    hash: bytes

    @classmethod
    def of(cls, part: Part, line: bytes) -> Self:
        """The leaf of a line, which begins with an id as text."""
        number = int(line[37:].partition(b"\t")[0]) if part.numbered else 0
        return cls(bytes.fromhex(line[:36].decode().replace("-", "")), number, sha256(line).digest()[:8])


class Digest:
    """What lines come to: how many they are, and the SHA-256 of all of them, which is how a seal has it."""

    def __init__(self) -> None:
        self._rows, self._hash = 0, sha256()

    def add(self, line: bytes) -> None:
        self._rows += 1
        self._hash.update(line)

    def __str__(self) -> str:
        return f"{self._rows} {self._hash.hexdigest()}"


def lines(part: Part, day: date) -> Iterator[bytes]:
    """The rows of a day, each with the newline that ends it. Inside a transaction that `sql.plainly` has prepared."""
    return sql.copy(part.rows, {"since": midnight(day), "until": midnight(day + DAY)})


def digest(part: Part, day: date) -> str:
    """What the rows of a day come to now, as a seal has it."""
    made = Digest()
    for line in lines(part, day):
        made.add(line)
    return str(made)


def first_day() -> date | None:
    """The day of the oldest row of all the sealed tables; reads them whole."""
    with sql.snapshot():
        oldest = [sql.rows(f"SELECT min({part.dated}) FROM {part.table}")[0][0] for part in parts]
    return min((day for day in oldest if day), default=None)
