"""What accounts stood at before a period, and what they did in it: the figures that every report is made of.

A sealed day is read from its kept balances. What is open is told from where accounts stand now, less what takes effect
later; that is a look at the newest entries only, since nothing takes effect before it is posted.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from ledger import sql
from ledger.closing import DAY, midnight
from ledger.seals.sealing import head


class Movement(NamedTuple):
    """An account, or all those that a line is folded of: where it stood, and what it did since. A debit is positive."""

    account: UUID | None
    code: str
    name: str
    type: str
    currency: str
    accounts: int
    opening: int
    debits: int
    credits: int

    @property
    def closing(self) -> int:
        return self.opening + self.debits - self.credits


def movements(
    *, since: date, until: date, currency: str | None = None, below: str = "", fold: Sequence[str] = ()
) -> list[Movement]:
    """Every account with its movements in a period, by currency, type and code.

    `currency` leaves only its accounts, `below` only the account with that code and those under it. What is under a
    code in `fold` is told together, as one line: `liabilities:wallets`, for a million wallets.
    """
    return figures(before=since - DAY, period=(since, until), currency=currency, below=below, fold=fold)


def figures(
    *,
    before: date | None,
    period: tuple[date, date] | None = None,
    currency: str | None = None,
    below: str = "",
    fold: Sequence[str] = (),
) -> list[Movement]:
    """Where accounts stood when the day `before` ended, or stand now, and what they did in a period, if any."""
    parameters: dict[str, Any] = {"currency": currency, "below": below, "under": f"{_literally(below)}:%"}
    parameters |= {f"fold{number}": code for number, code in enumerate(fold)}
    with sql.snapshot():
        sealed = newest.day if (newest := head()) else date.min
        parts = _standing(before, sealed, parameters)
        if period:
            parts += _turnover(*period, sealed, parameters)
        whens = [f"WHEN starts_with(code, %(fold{n})s || ':') THEN %(fold{n})s" for n in range(len(fold))]
        folded = f"CASE {' '.join(whens)} END" if whens else "NULL::text"
        query = FIGURES.format(folded=folded, parts=" UNION ALL ".join(parts))
        return [Movement(*row) for row in sql.rows(query, parameters)]


FIGURES = """
WITH picked AS (
    SELECT id, code, {folded} AS folded, name, type, currency FROM ledger_account
    WHERE (%(currency)s::text IS NULL OR currency = %(currency)s)
      AND (%(below)s = '' OR code = %(below)s OR code LIKE %(under)s)
)
SELECT CASE WHEN folded IS NULL THEN id END AS account, coalesce(folded, code) AS code,
       max(CASE WHEN folded IS NULL THEN name ELSE '' END), type, currency, count(*),
       coalesce(sum(opening), 0)::int8, coalesce(sum(debits), 0)::int8, coalesce(sum(credits), 0)::int8
FROM picked LEFT JOIN (
    SELECT id, sum(opening) AS opening, sum(debits) AS debits, sum(credits) AS credits
    FROM ({parts}) AS part GROUP BY id
) AS figures USING (id)
GROUP BY 1, 2, type, currency
ORDER BY currency, array_position(ARRAY['asset', 'liability', 'equity', 'income', 'expense'], type::text), 2
"""

# Each tells, of accounts of `picked`, part of the opening balance, the debits and the credits.
CLOSED = """
SELECT p.id, kept.balance AS opening, 0 AS debits, 0 AS credits
FROM picked p CROSS JOIN LATERAL (
    SELECT d.balance FROM ledger_daybalance d
    WHERE d.account_id = p.id AND d.day <= %(before)s ORDER BY d.day DESC LIMIT 1
) AS kept
"""
NOW = """
SELECT p.id, b.balance AS opening, 0 AS debits, 0 AS credits FROM picked p JOIN ledger_balance b ON b.account_id = p.id
"""
# What takes effect from a moment on was posted from then on, and of that a few were dated back to before it.
LATER = """
FROM picked p
JOIN ledger_entry e ON e.account_id = p.id AND e.posted_at >= %({moment})s
LEFT JOIN ledger_transaction t
     ON t.id = e.transaction_id AND t.effective_at < t.posted_at AND t.posted_at >= %({moment})s
WHERE coalesce(t.effective_at, e.posted_at) >= %({moment})s
"""
LESS_LATER = "SELECT p.id, -e.amount AS opening, 0 AS debits, 0 AS credits" + LATER.format(moment="later")
SEALED_TURNOVER = """
SELECT p.id, 0 AS opening, d.debits, d.credits
FROM picked p JOIN ledger_daybalance d ON d.account_id = p.id
WHERE d.day >= %(since)s AND d.day <= %(until)s
"""
OPEN_TURNOVER = (
    "SELECT p.id, 0 AS opening, greatest(e.amount, 0) AS debits, greatest(-e.amount, 0) AS credits"
    + LATER.format(moment="start")
    + "AND coalesce(t.effective_at, e.posted_at) < %(end)s"
)


def _standing(before: date | None, sealed: date, parameters: dict[str, Any]) -> list[str]:
    """The parts that give what accounts stood at when a day had ended."""
    if before is None:
        return [NOW]
    parameters |= {"before": before, "later": midnight(before + DAY)}
    return [CLOSED] if before <= sealed else [NOW, LESS_LATER]


def _turnover(since: date, until: date, sealed: date, parameters: dict[str, Any]) -> list[str]:
    """The parts that give what accounts did in a period: in its sealed days, and in those after them."""
    parts = []
    if since <= sealed:
        parameters |= {"since": since, "until": until}
        parts.append(SEALED_TURNOVER)
    if until > sealed:
        parameters |= {"start": midnight(max(since, sealed + DAY)), "end": midnight(until + DAY)}
        parts.append(OPEN_TURNOVER)
    return parts


def _literally(text: str) -> str:
    """A text as LIKE takes it for itself."""
    return re.sub(r"([\\%_])", r"\\\1", text)
