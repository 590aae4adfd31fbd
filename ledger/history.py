"""What happened to an account, newest first by version: any page costs what the first one does."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from ledger import sql


class Line(NamedTuple):
    """An entry of one lane, and the transaction it is part of. Amounts are positive for a debit."""

    version: int
    amount: int
    balance: int
    transaction: UUID
    kind: str
    reference: str
    external_reference: str
    description: str
    metadata: Mapping[str, Any]
    posted_at: datetime
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are meant: bounds of time (both included), kinds of transaction, and debits or credits only."""

    since: datetime | None = None
    until: datetime | None = None
    kinds: Sequence[str] = ()
    debits: bool | None = None

    @property
    def by_version(self) -> bool:
        """Whether the filter is a range of versions, so that counting and skipping are arithmetic."""
        return not self.kinds and self.debits is None


BOUNDS = """
SELECT CASE WHEN %(since)s::timestamptz IS NULL THEN 0
            ELSE ledger_version_at(account_id, lane, version, %(since)s - interval '1 microsecond') END,
       CASE WHEN %(until)s::timestamptz IS NULL THEN version
            ELSE ledger_version_at(account_id, lane, version, %(until)s) END
FROM ledger_balance WHERE account_id = %(account)s AND lane = 0
"""


def bounds(account: UUID, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The versions posted between two moments, both included: those above the first number, up to the second."""
    found = sql.run(BOUNDS, {"account": account, "since": since, "until": until}).fetchone()
    return (found[0], found[1]) if found else (0, 0)


LINES = """
SELECT e.version, e.amount, e.balance, t.id, t.kind, t.reference, t.external_reference, t.description, t.metadata::text,
       e.posted_at, t.effective_at
FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
"""
PAGE = "WHERE e.account_id = %(account)s AND e.lane = %(lane)s AND e.version > %(low)s AND e.version <= %(high)s"


def page(
    account: UUID,
    which: Filter,
    *,
    limit: int,
    low: int,
    high: int,
    offset: int = 0,
    oldest_first: bool = False,
    lane: int = 0,
) -> list[Line]:
    """At most `limit` entries with versions above `low` and up to `high`, newest first unless told otherwise.

    The bounds come from `bounds`; `offset` skips that many of the entries that the filter leaves.
    """
    if which.by_version:
        low, high, offset = (low + offset, high, 0) if oldest_first else (low, high - offset, 0)
    conditions, parameters = _conditions(which)
    order = "ASC" if oldest_first else "DESC"
    return lines(
        f"{PAGE} {conditions} ORDER BY e.version {order} LIMIT %(limit)s OFFSET %(offset)s",
        {"account": account, "lane": lane, "low": low, "high": high, "limit": limit, "offset": offset, **parameters},
    )


def lines(which: str, parameters: Mapping[str, Any]) -> list[Line]:
    """The entries `e`, with their transactions `t`, that the end of a query picks."""
    # As text, since what psycopg makes of jsonb on Django's connection depends on its format.
    return [Line(*row)._replace(metadata=json.loads(row[8])) for row in sql.rows(LINES + which, parameters)]


def count(account: UUID, which: Filter, *, low: int, high: int) -> int:
    """How many entries the filter leaves between two versions: arithmetic, unless it names kinds or a direction."""
    if which.by_version:
        return max(high - low, 0)
    conditions, parameters = _conditions(which)
    counted = sql.run(
        f"SELECT count(*) FROM ({LINES + PAGE} {conditions}) AS page",
        {"account": account, "lane": 0, "low": low, "high": high, **parameters},
    ).fetchone()
    return counted[0] if counted else 0


def _conditions(which: Filter) -> tuple[str, dict[str, Any]]:
    conditions, parameters = "", {}
    if which.kinds:
        conditions += " AND t.kind = ANY (%(kinds)s::text[])"
        parameters["kinds"] = sql.texts(which.kinds)
    if which.debits is not None:
        conditions += " AND e.amount > 0" if which.debits else " AND e.amount < 0"
    return conditions, parameters


OTHERS = """
SELECT e.transaction_id, a.code
FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
WHERE e.transaction_id = ANY (%s::uuid[]) AND e.account_id <> %s
ORDER BY e.transaction_id, e.leg
"""


def counterparties(account: UUID, transactions: Iterable[UUID]) -> dict[UUID, list[str]]:
    """For each transaction, the codes of the other accounts that it touched, in the order of their legs."""
    codes: dict[UUID, list[str]] = {}
    for transaction, code in sql.rows(OTHERS, (sql.uuids(transactions), account)):
        codes.setdefault(transaction, []).append(code)
    return codes
