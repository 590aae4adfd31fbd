"""What accounts did day by day, and how many transactions of each kind there were: for charts and volumes."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from ledger import sql
from ledger.closing import DAY, midnight
from ledger.seals.sealing import head


class DayMovement(NamedTuple):
    """What the accounts of one currency below one of some codes did on a day, together."""

    day: date
    below: str
    currency: str
    debits: int
    credits: int


class DayVolume(NamedTuple):
    """The transactions of a kind on a day: how many, and how much they moved in minor units (the sum of debits)."""

    day: date
    kind: str
    currency: str
    transactions: int
    amount: int


def daily(*, since: date, until: date, below: Sequence[str]) -> list[DayMovement]:
    """What the accounts under some codes did on each day of a period, by the dates on which it took effect.

    A code's accounts are told together; days and codes without movement are left out.
    """
    parameters = {"below": sql.texts(below), "since": since, "until": until}
    with sql.snapshot():
        sealed = newest.day if (newest := head()) else date.min
        parts = []
        if since <= sealed:
            parts.append(SEALED)
        if until > sealed:
            parameters |= {"start": midnight(max(since, sealed + DAY)), "end": midnight(until + DAY)}
            parts.append(OPEN)
        query = DAILY.format(parts=" UNION ALL ".join(parts))
        return [DayMovement(*row) for row in sql.rows(query, parameters)]


DAILY = """
WITH picked AS (
    SELECT a.id, b.code AS below, a.currency FROM unnest(%(below)s::text[]) AS b (code)
    JOIN ledger_account a ON a.code = b.code OR starts_with(a.code, b.code || ':')
)
SELECT day, below, currency, sum(debits)::int8, sum(credits)::int8
FROM ({parts}) AS part (day, below, currency, debits, credits)
GROUP BY day, below, currency ORDER BY day, below, currency
"""
SEALED = """
SELECT d.day, p.below, p.currency, d.debits, d.credits
FROM picked p JOIN ledger_daybalance d ON d.account_id = p.id WHERE d.day BETWEEN %(since)s AND %(until)s
"""
OPEN = """
SELECT (t.effective_at AT TIME ZONE 'UTC')::date, p.below, p.currency, greatest(e.amount, 0), greatest(-e.amount, 0)
FROM picked p
JOIN ledger_entry e ON e.account_id = p.id AND e.posted_at >= %(start)s
JOIN ledger_transaction t ON t.id = e.transaction_id AND t.posted_at >= %(start)s
WHERE t.effective_at >= %(start)s AND t.effective_at < %(end)s
"""


def volumes(*, since: date, until: date, currency: str | None = None) -> list[DayVolume]:
    """How many transactions of each kind took effect on each day of a period, and how much they moved."""
    parameters: dict[str, Any] = {"start": midnight(since), "end": midnight(until + DAY), "currency": currency}
    return [DayVolume(*row) for row in sql.rows(VOLUMES, parameters)]


# Nothing takes effect before it is posted, so that a period's transactions were posted since it began.
VOLUMES = """
SELECT (t.effective_at AT TIME ZONE 'UTC')::date, t.kind, a.currency, count(DISTINCT t.id), sum(e.amount)::int8
FROM ledger_transaction t
JOIN ledger_entry e ON e.transaction_id = t.id AND e.amount > 0 AND e.posted_at >= %(start)s
JOIN ledger_account a ON a.id = e.account_id
WHERE t.posted_at >= %(start)s AND t.effective_at >= %(start)s AND t.effective_at < %(end)s
  AND (%(currency)s::text IS NULL OR a.currency = %(currency)s)
GROUP BY 1, 2, 3 ORDER BY 3, 1, 2
"""
