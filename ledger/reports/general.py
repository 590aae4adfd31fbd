"""The general ledger: for each account its opening balance, every entry with the balance after it, and the closing one.

The entries are in the order in which they took effect. A busy account has many lanes, each in that order by itself but
for what was dated back; they are merged as they are read, so that no more than a chunk of each is in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from heapq import merge
from typing import Any, NamedTuple
from uuid import UUID

from ledger import history, sql
from ledger.closing import DAY, midnight
from ledger.reports.figures import Movement, movements

CHUNK = 1_000


class LedgerLine(NamedTuple):
    """An entry, and the balance of its account after it. A debit is positive."""

    effective_at: datetime
    posted_at: datetime
    transaction: UUID
    kind: str
    reference: str
    description: str
    amount: int
    balance: int


@dataclass(frozen=True, slots=True)
class AccountLedger:
    """An account over a period: opening + debits − credits = closing. `lines` reads its entries, oldest first.

    `lanes` has the version that each lane had when the figures were read: what was posted since isn't in the lines.
    """

    account: UUID
    movement: Movement
    since: date
    until: date
    lanes: tuple[tuple[int, int], ...]

    def lines(self) -> Iterator[LedgerLine]:
        """The entries, in the order in which they took effect, in chunks."""
        streams = [self._posted(lane, version) for lane, version in self.lanes]
        balance = self.movement.opening
        for line in merge(*streams, self._dated_back(), key=lambda line: line.effective_at):
            balance += line.amount
            yield LedgerLine(
                line.effective_at, line.posted_at, line.transaction, line.kind, line.reference, line.description,
                line.amount, balance,
            )  # fmt: skip

    def _posted(self, lane: int, version: int) -> Iterator[history.Line]:
        """What took effect in a lane when it was posted."""
        low, high = sql.rows(BOUNDS, self._words | {"lane": lane, "version": version})[0]
        while chunk := history.page(
            self.account, history.Filter(), limit=CHUNK, low=low, high=high, oldest_first=True, lane=lane
        ):
            yield from (line for line in chunk if line.effective_at == line.posted_at)
            low = chunk[-1].version

    def _dated_back(self) -> list[history.Line]:
        """What was dated back into the period, in all lanes: seldom anything."""
        lanes, versions = zip(*self.lanes, strict=True)
        words = {"lanes": sql.integers(lanes), "versions": sql.integers(versions)}
        return history.lines(DATED_BACK, self._words | words)

    @property
    def _words(self) -> dict[str, Any]:
        return {"account": self.account, "since": midnight(self.since), "end": midnight(self.until + DAY)}


# The versions of a lane that were posted in the period: those above the first, up to the second.
BOUNDS = """
SELECT ledger_version_at(%(account)s, %(lane)s::int2, %(version)s, %(since)s - interval '1 microsecond'),
       ledger_version_at(%(account)s, %(lane)s::int2, %(version)s, %(end)s - interval '1 microsecond')
"""
DATED_BACK = """
JOIN unnest(%(lanes)s::int2[], %(versions)s::int8[]) AS known (lane, version)
     ON known.lane = e.lane AND known.version >= e.version
WHERE e.account_id = %(account)s
  AND t.effective_at >= %(since)s AND t.effective_at < %(end)s AND t.effective_at < t.posted_at
ORDER BY t.effective_at, t.id, e.leg
"""
LANES = """
SELECT account_id, array_agg(lane ORDER BY lane), array_agg(version ORDER BY lane)
FROM ledger_balance WHERE account_id = ANY (%s::uuid[]) GROUP BY account_id
"""


def general_ledger(code: str, *, since: date, until: date) -> list[AccountLedger]:
    """The ledgers of the account with a code, and of those under it, as far as they moved or had a balance before."""
    with sql.snapshot():
        told = [line for line in movements(since=since, until=until, below=code) if any(line[-3:])]
        found = sql.rows(LANES, (sql.uuids(line.account for line in told),))
        lanes = {account: tuple(zip(numbers, versions, strict=True)) for account, numbers, versions in found}
    return [AccountLedger(line.account, line, since, until, lanes[line.account]) for line in told if line.account]
