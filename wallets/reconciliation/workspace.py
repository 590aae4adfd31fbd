"""What a run works on: what is open on both sides, in temporary tables with statistics, so that plans fit.

`found` collects what belongs together, a number for each match. Everything is ordered by what lines and transactions
say, never by when they were stored: the same input gives the same matches.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from ledger import sql

TABLES = """
DROP TABLE IF EXISTS open_line, open_item, line_name, item_name, found;
CREATE TEMP TABLE open_line (id uuid, day date, amount int8, fee int8, tie bytea, referenced bool, by_hand bool)
    ON COMMIT DROP;
CREATE TEMP TABLE open_item (id uuid, day date, amount int8, tie uuid, reverses uuid, by_hand bool) ON COMMIT DROP;
CREATE TEMP TABLE line_name (name text, id uuid) ON COMMIT DROP;
CREATE TEMP TABLE item_name (name text, id uuid) ON COMMIT DROP;
CREATE TEMP TABLE found (number int4, rule text, line uuid, item uuid) ON COMMIT DROP
"""

LINES = """
INSERT INTO open_line
SELECT id, booked_on, amount, fee, identity, reference <> '', by_hand FROM wallets_statementline
WHERE account_id = %(account)s AND match_id IS NULL AND status = 'booked'
  AND booked_on BETWEEN %(since)s::date AND %(until)s::date
"""
# Ours may be a few days earlier or later than the line that it explains.
ITEMS = """
INSERT INTO open_item
SELECT id, effective_on, amount, transaction_id, reverses, by_hand FROM wallets_booksitem
WHERE account_id = %(account)s AND match_id IS NULL
  AND effective_on BETWEEN %(since)s::date - %(reach)s::int4 AND %(until)s::date + %(reach)s::int4
"""
LINE_NAMES = """
INSERT INTO line_name
SELECT name, o.id FROM open_line o JOIN wallets_statementline l ON l.id = o.id, unnest(l.names) AS name
"""
ITEM_NAMES = """
INSERT INTO item_name
SELECT name, o.id FROM open_item o JOIN wallets_booksitem i ON i.id = o.id, unnest(i.names) AS name
"""
# A name that only one side has joins nothing.
SHARED = """
DELETE FROM line_name n WHERE NOT EXISTS (SELECT FROM item_name m WHERE m.name = n.name)
"""
SHARED_TOO = """
DELETE FROM item_name n WHERE NOT EXISTS (SELECT FROM line_name m WHERE m.name = n.name)
"""
COUNT = "SELECT (SELECT count(*) FROM open_line), (SELECT count(*) FROM open_item)"


@dataclass(frozen=True, slots=True)
class Period:
    """What a run looks at: an account's days, both included, and how far our days may lie around theirs."""

    account: UUID
    since: date
    until: date
    reach: int = 7

    @property
    def bounds(self) -> dict[str, Any]:
        return {"account": self.account, "since": self.since, "until": self.until, "reach": self.reach}


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much the sums of a match may differ: so many minor units, so many hundredths of a per cent of ours beside
    them, or exactly the fee that the lines state.
    """

    amount: int = 0
    basis_points: int = 0
    stated_fee: bool = False

    def __bool__(self) -> bool:
        return bool(self.amount or self.basis_points or self.stated_fee)

    @property
    def parameters(self) -> dict[str, Any]:
        """For a statement."""
        return asdict(self)


def fill(period: Period) -> tuple[int, int]:
    """Lay out what is open, inside the caller's transaction; returns how many lines and items that is."""
    for statement in TABLES.split(";"):
        sql.run(statement)
    sql.run(LINES, period.bounds)
    sql.run(ITEMS, period.bounds)
    for statement in (LINE_NAMES, ITEM_NAMES, SHARED, SHARED_TOO):
        sql.run(statement)
    sql.run("ANALYZE open_line, open_item, line_name, item_name")
    lines, items = sql.rows(COUNT)[0]
    return lines, items


def take() -> None:
    """Take what was found off what is open."""
    for side in ("line", "item"):
        sql.run(f"DELETE FROM open_{side} o USING found f WHERE f.{side} = o.id")
