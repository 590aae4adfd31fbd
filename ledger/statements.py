"""A statement's data: opening balance, the entries with their running balance, closing balance. They always add up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger import history, sql

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Statement:
    """An account with one lane over a period, on its normal side in minor units: opening + in − out = closing.

    `since` and `until` are both included; `lines` reads the entries, oldest first, in chunks.
    """

    account: UUID
    sign: int
    since: datetime
    until: datetime
    opening: int
    closing: int
    total_in: int
    total_out: int
    low: int
    high: int

    def lines(self) -> Iterator[history.Line]:
        """The entries, oldest first, without holding more than a chunk of them in memory."""
        position = self.low
        while chunk := history.page(
            self.account, history.Filter(), limit=CHUNK, low=position, high=self.high, oldest_first=True
        ):
            yield from chunk
            position = chunk[-1].version


TOTALS = """
SELECT b.sign,
       coalesce((SELECT e.balance FROM ledger_entry e
                 WHERE e.account_id = b.account_id AND e.lane = 0 AND e.version = %(low)s), 0) * b.sign,
       coalesce((SELECT e.balance FROM ledger_entry e
                 WHERE e.account_id = b.account_id AND e.lane = 0 AND e.version = %(high)s), 0) * b.sign,
       moved.up::int8, moved.down::int8
FROM ledger_balance b CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.amount) FILTER (WHERE e.amount * b.sign > 0), 0) * b.sign AS up,
           coalesce(sum(e.amount) FILTER (WHERE e.amount * b.sign < 0), 0) * -b.sign AS down
    FROM ledger_entry e
    WHERE e.account_id = b.account_id AND e.lane = 0 AND e.version > %(low)s AND e.version <= %(high)s
) AS moved
WHERE b.account_id = %(account)s AND b.lane = 0
"""


def statement(account: UUID, *, since: datetime, until: datetime) -> Statement:
    """The statement of an account that exists, for what was posted from `since` to `until`."""
    low, high = history.bounds(account, since, until)
    found = sql.rows(TOTALS, {"account": account, "low": low, "high": high})
    sign, opening, closing, total_in, total_out = found[0]
    return Statement(account, sign, since, until, opening, closing, total_in, total_out, low, high)
