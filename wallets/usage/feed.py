"""Following the events: each of them once and none left out, whoever is writing meanwhile.

Numbers are given out before transactions commit, so that a smaller one may come to be seen after a larger one. What
lies below the oldest transaction that still runs is complete: so far a follower reads, and goes on behind what it has.
"""

from typing import NamedTuple
from uuid import UUID

from ledger import sql
from wallets.usage.stores import Stored


class Cursor(NamedTuple):
    """The last event that was read: its transaction, and its key, in the order of which those of one are read."""

    transaction: int
    key: UUID


class Followed(NamedTuple):
    """An event, and the transaction that wrote it."""

    written_by: int
    event: Stored

    @property
    def cursor(self) -> Cursor:
        """From where a follower goes on that has it."""
        return Cursor(self.written_by, self.event.key)


BEGINNING = Cursor(0, UUID(int=0))
LAST = UUID(int=2**128 - 1)
COLUMNS = """
e.occurred_at, e.received_at, e.key, e.wallet_id, m.slug, e.quantity, e.source, e.event_id, e.properties::text
"""
COMPLETE = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::int8"
NEXT = f"""
SELECT e.written_by, {COLUMNS}
FROM wallets_usageevent e JOIN wallets_meter m ON m.id = e.meter_id
WHERE e.written_by >= %(xid)s AND (e.written_by, e.key) > (%(xid)s, %(key)s) AND e.written_by < %(until)s
ORDER BY e.written_by, e.key LIMIT %(limit)s
"""
# So many transactions are looked at first, then ten times as many, until there are enough events: not all that a
# follower lags behind is put in order for each of its pages.
SPAN = 100
WAITING = """
SELECT count(*) FROM (
    SELECT FROM wallets_usageevent e
    WHERE e.written_by >= %(xid)s AND (e.written_by, e.key) > (%(xid)s, %(key)s) LIMIT %(limit)s
) AS waiting
"""


def following(cursor: Cursor, *, limit: int) -> list[Followed]:
    """The next events. None: all are read, but for those of transactions that may still run."""
    ((complete,),) = sql.rows(COMPLETE)
    found, span = list[Followed](), SPAN
    while True:
        until = min(cursor.transaction + span, complete)
        asked = {"xid": cursor.transaction, "key": cursor.key, "until": until, "limit": limit - len(found)}
        found += [Followed(written_by, Stored(*event)) for written_by, *event in sql.rows(NEXT, asked)]
        if len(found) == limit or until == complete:
            return found
        cursor, span = Cursor(until - 1, LAST), span * 10


def waiting(cursor: Cursor, *, limit: int) -> int:
    """How many events aren't read yet, those of transactions that may still run among them; counted up to a limit."""
    count: int = sql.rows(WAITING, {"xid": cursor.transaction, "key": cursor.key, "limit": limit})[0][0]
    return count
