"""Closing days: nothing is posted before the first open day any more, and what was is there to be sealed.

Days are in UTC. They are closed in order and without gaps, because all there is is a boundary that moves forward.
"""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, ClassVar

from ledger import sql

DAY = timedelta(days=1)
# How often, in seconds, it is looked whether those who write have ended.
LOOK = 0.05


class PeriodClosed(Exception):
    """A posting was dated before the first open day; nothing of it was written."""

    code: ClassVar[str] = "period_closed"
    title: ClassVar[str] = "The period is closed"

    def __init__(self, opens: str) -> None:
        super().__init__(f"The books are closed before {opens}; nothing was posted. Use a date from that day on.")
        self.data: dict[str, Any] = {"first_open_day": opens}


class NotOver(Exception):
    """A day can't be closed yet: it goes on, or what was begun in it may."""

    code: ClassVar[str] = "invalid_state"
    title: ClassVar[str] = "The day isn't over"


class StillWriting(Exception):
    """A transaction that may hold postings of a closed day doesn't end. The day stays closed, and is sealed later."""

    code: ClassVar[str] = "database_unavailable"
    title: ClassVar[str] = "Busy"


def midnight(day: date) -> datetime:
    """The moment that a day begins at, in UTC."""
    return datetime.combine(day, clock_time(), UTC)


def first_open_day() -> date | None:
    """The day from which on the books are open; None while no day is closed."""
    opens: date | None = sql.rows("SELECT opens FROM ledger_boundary")[0][0]
    return opens


def last_closable_day(now: datetime, grace: timedelta) -> date:
    """The newest day that may be closed: the requests of a day have so long, after it, to be done."""
    return (now - grace).astimezone(UTC).date() - DAY


def check_over(day: date, *, grace: timedelta, now: datetime) -> None:
    """Raise NotOver unless a day may be closed."""
    if day > last_closable_day(now, grace):
        since = midnight(day + DAY) + grace
        raise NotOver(f"{day} can be closed from {since:%Y-%m-%d %H:%M} UTC on; nothing was closed.")


MOVE = "UPDATE ledger_boundary SET opens = %s, moved_at = %s, moved_by = %s WHERE opens IS NULL OR opens < %s"


def close(through: date, *, by: str, grace: timedelta, now: datetime) -> bool:
    """Close all days up to one, inside the caller's transaction. Returns whether there was an open one among them.

    `by` says who does. Raises NotOver. What is closed is not sealed yet: `seals.seal_closed` does that, afterwards.
    """
    check_over(through, grace=grace, now=now)
    opens = through + DAY
    return sql.run(MOVE, (opens, now, by, opens)).rowcount == 1


# Who inserts has this lock until the transaction ends. The locks of tables are not of this database alone.
WRITERS = """
SELECT DISTINCT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid()
  AND relation = ANY (%s::text[]::regclass[])
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def wait_for_writers(tables: Sequence[str], *, seconds: float) -> None:
    """Wait until every transaction has ended that is writing to one of the tables now; those that begin later needn't.

    As CREATE INDEX CONCURRENTLY waits: nobody waits for us. Raises StillWriting when it takes longer.
    """
    end = time.monotonic() + seconds
    writing = _writers(tables)
    while writing := writing & _writers(tables):
        if time.monotonic() > end:
            raise StillWriting(f"{len(writing)} transactions have been writing for {seconds:.0f} s; try again later.")
        time.sleep(LOOK)


def _writers(tables: Sequence[str]) -> set[str]:
    return {row[0] for row in sql.rows(WRITERS, (sql.texts(tables),))}
