"""Reports over all accounts. Amounts in minor units; a debit is positive."""

from datetime import datetime
from typing import NamedTuple

from ledger import sql


class TrialLine(NamedTuple):
    """An account's balance in the trial balance, as a debit or as a credit."""

    code: str
    name: str
    type: str
    currency: str
    debit: int
    credit: int


TRIAL = """
SELECT a.code, a.name, a.type, a.currency, greatest(s.balance, 0)::int8, greatest(-s.balance, 0)::int8
FROM (
    SELECT b.account_id, sum(CASE WHEN %(at)s::timestamptz IS NULL THEN b.balance ELSE coalesce(e.balance, 0) END)
        AS balance
    FROM ledger_balance b
    LEFT JOIN LATERAL (
        SELECT e.balance FROM ledger_entry e
        WHERE e.account_id = b.account_id AND e.lane = b.lane
          AND e.version = ledger_version_at(b.account_id, b.lane, b.version, %(at)s)
    ) AS e ON %(at)s::timestamptz IS NOT NULL
    GROUP BY b.account_id
) AS s
JOIN ledger_account a ON a.id = s.account_id
WHERE %(currency)s::text IS NULL OR a.currency = %(currency)s
ORDER BY a.currency, array_position(ARRAY['asset', 'liability', 'equity', 'income', 'expense'], a.type::text), a.code
"""


def trial_balance(*, at: datetime | None = None, currency: str | None = None) -> list[TrialLine]:
    """Every account with its balance, now or as it stood at a moment. Debits equal credits in each currency."""
    return [TrialLine(*row) for row in sql.rows(TRIAL, {"at": at, "currency": currency})]
