"""What customers are owed against what providers hold, by currency."""

from dataclasses import dataclass

from ledger import sql
from wallets.chart import WALLETS

# The books sum to zero in each currency, so what wallets hold is what all other accounts come to: those are few, where
# wallets may be millions. The operators compare byte by byte, whatever the collation, as the index of prefixes does.
TOTALS = """
SELECT b.currency, sum(b.balance)::int8,
       coalesce(sum(b.balance) FILTER (WHERE a.code LIKE 'assets:clearing:%%'), 0)::int8,
       coalesce(-sum(b.balance) FILTER (WHERE a.code LIKE 'liabilities:suspense:%%'), 0)::int8,
       coalesce(-sum(b.balance) FILTER (WHERE a.code LIKE 'income:%%' OR a.code LIKE 'expenses:%%'), 0)::int8
FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id
WHERE a.code ~<~ %(first)s OR a.code ~>~ %(last)s
GROUP BY b.currency ORDER BY b.currency
"""


@dataclass(frozen=True, slots=True)
class Total:
    """One currency, in minor units: what wallets hold, what providers hold for us, what came in and is nobody's yet,
    and what we have earned less what providers charged.
    """

    currency: str
    owed: int
    held: int
    unmatched: int
    earned: int


def totals() -> list[Total]:
    """The state of each currency that has an account."""
    return [Total(*row) for row in sql.rows(TOTALS, {"first": WALLETS, "last": f"{WALLETS}~"})]
