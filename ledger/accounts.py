"""Opening accounts and finding them: the chart of the books."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from msgspec import Struct
from uuid_utils.compat import uuid7

from ledger import sql
from ledger.requests import Leg

# A busy internal account has this many lanes, so that as many writers don't queue for one row.
BUSY = 16


class NoSuchAccount(Exception):
    """A code that names no account."""

    code: ClassVar[str] = "unknown_account"


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be opened. `floor` is what its available balance may not undercut, in minor units on the normal
    side; None for no floor. An account with a floor has one lane.
    """

    code: str
    type: str
    currency: str
    name: str = ""
    floor: int | None = None
    lanes: int = 1
    id: UUID = field(default_factory=uuid7)


class Line(Struct, frozen=True):
    """A line of the chart, as much of it as posting needs."""

    id: UUID
    code: str
    type: str
    currency: str
    lanes: int

    def debit(self, amount: int) -> Leg:
        """The leg that debits this account by `amount` minor units."""
        return Leg(self.id, amount, self.lanes)

    def credit(self, amount: int) -> Leg:
        """The leg that credits this account by `amount` minor units."""
        return Leg(self.id, -amount, self.lanes)


OPEN = """
WITH asked AS (
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int8[], %s::int2[])
        AS a (id, code, name, type, currency, floor, lanes)
), opened AS (
    INSERT INTO ledger_account (id, code, name, type, currency, created_at)
    SELECT id, code, name, type, currency, %s FROM asked
    ON CONFLICT (code) DO NOTHING
    RETURNING id
)
SELECT asked.id, floor, lanes FROM asked JOIN opened USING (id)
"""

OPEN_LANES = """
INSERT INTO ledger_balance (account_id, lane, currency, sign, floor, balance, version, held, pending, posted_at)
SELECT a.id, lane, '', 0, a.floor, 0, 0, 0, 0, %s
FROM unnest(%s::uuid[], %s::int8[], %s::int2[]) AS a (id, floor, lanes), generate_series(0, a.lanes - 1) AS lane
"""


def open_accounts(accounts: Sequence[NewAccount], *, now: datetime) -> None:
    """Open accounts with their lanes, inside the caller's transaction.

    A code that is open already is left as it is, so that two who race for it both find it open.
    """
    opened = sql.rows(
        OPEN,
        (
            sql.uuids(account.id for account in accounts),
            sql.texts(account.code for account in accounts),
            sql.texts(account.name for account in accounts),
            sql.texts(account.type for account in accounts),
            sql.texts(account.currency for account in accounts),
            [account.floor for account in accounts],
            sql.integers(account.lanes for account in accounts),
            now,
        ),
    )
    if opened:
        ids, floors, lanes = zip(*opened, strict=True)
        sql.run(OPEN_LANES, (now, sql.uuids(ids), list(floors), sql.integers(lanes)))


FIND = """
SELECT a.id, a.code, a.type, a.currency, (SELECT count(*) FROM ledger_balance b WHERE b.account_id = a.id)
FROM ledger_account a WHERE
"""


def find(codes: Iterable[str]) -> dict[str, Line]:
    """The lines of the chart by their codes; a code that isn't open is left out."""
    return {row[1]: Line(*row) for row in sql.rows(FIND + "a.code = ANY (%s::text[])", (sql.texts(codes),))}


def find_one(code: str) -> Line:
    """The line of a code. Raises NoSuchAccount."""
    try:
        return find([code])[code]
    except KeyError:
        raise NoSuchAccount(f"The chart has no account {code}; open it first.") from None


def set_floor(account: UUID, floor: int | None) -> None:
    """Change what an account's available balance may not undercut, −credit limit say.

    Raises IntegrityError where the balance is below the new floor already: law 4.
    """
    sql.run("UPDATE ledger_balance SET floor = %s WHERE account_id = %s AND lane = 0", (floor, account))


def floor_of(account: UUID) -> int | None:
    """What an account's available balance may not undercut; None where it has no floor, or isn't there."""
    found = sql.rows("SELECT floor FROM ledger_balance WHERE account_id = %s AND lane = 0", (account,))
    return found[0][0] if found else None


def codes_outside(prefix: str) -> list[str]:
    """The codes of all accounts but those below a prefix, which may be millions. Found by the index of prefixes."""
    statement = "SELECT code FROM ledger_account WHERE code ~<~ %s OR code ~>~ %s ORDER BY code"
    return [code for (code,) in sql.rows(statement, (prefix, f"{prefix}~"))]
