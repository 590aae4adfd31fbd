"""Which transfers a worker is at, written down before it begins: what is left of that without its worker tells whom it
may have died of. Such a one is tried alone from then on, ever later, and in the end not without a person.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from uuid_utils.compat import uuid7

from ledger import sql
from ledger.durable import durable
from wallets.queued import trouble

logger = logging.getLogger(__name__)

# So many workers may die that were at a transfer, the last of them at nothing else.
DEATHS = 3
KILLS = "Each worker that was at it has died: {} times."

# PostgreSQL doesn't know how long the queue is just now: left to itself, it reads and sorts all of it for each batch.
# And nobody waits for the disk: what a power cut may forget is whom a worker died of.
PREPARE = """
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('synchronous_commit', 'off', true)
"""
# Those that have been due for longest, up to the first that a worker may have died of; or that one alone.
DUE = """
SELECT id, deaths, row_number() OVER (ORDER BY next_at, id) AS place
FROM (SELECT id, deaths, next_at FROM wallets_transfer WHERE status = 'queued' AND next_at <= %(now)s
      ORDER BY next_at, id LIMIT %(limit)s) AS due
"""
BEGIN = f"""
WITH due AS ({DUE}),
batch AS (
    SELECT array_agg(id ORDER BY place) AS ids FROM due
    WHERE place = 1 OR place < (SELECT coalesce(min(place), %(limit)s + 1) FROM due WHERE deaths > 0)
)
INSERT INTO wallets_drainbatch (id, transfers, begun_at, backend, backend_since)
SELECT %(id)s, ids, statement_timestamp(), a.pid, a.backend_start
FROM batch, pg_stat_activity a WHERE ids IS NOT NULL AND a.pid = pg_backend_pid()
RETURNING transfers
"""
END = "DELETE FROM wallets_drainbatch WHERE id = %s"


@contextmanager
def batch(*, now: datetime, limit: int) -> Iterator[Sequence[UUID]]:
    """The transfers that are due first, at most so many, for the block to make: written down until it is done."""
    id = uuid7()
    with transaction.atomic(), sql.pipeline():
        sql.run(PREPARE)
        rows = sql.rows(BEGIN, {"id": id, "now": now, "limit": limit})
    try:
        yield rows[0][0] if rows else ()
    finally:
        if rows:
            with suppress(OperationalError, InterfaceError):
                sql.run(END, (id,))


# A batch whose connection is gone, or that has taken longer than any does. Nobody is blamed for the server's own end.
LEFT = """
DELETE FROM wallets_drainbatch b
WHERE begun_at < statement_timestamp() - interval '1 minute' OR NOT EXISTS (
    SELECT FROM pg_stat_activity a WHERE a.pid = b.backend AND a.backend_start = b.backend_since)
RETURNING transfers, begun_at > pg_postmaster_start_time()
"""
BLAME = """
UPDATE wallets_transfer SET deaths = deaths + 1 WHERE id = ANY (%s::uuid[]) AND status = 'queued' RETURNING id, deaths
"""


@durable
def bury(now: datetime) -> None:
    """Look at what workers have left that died, and blame it on what they were at."""
    for transfers, is_blamed in sql.rows(LEFT):
        if not is_blamed:
            continue
        logger.error("A worker died while it was at %s queued transfers.", len(transfers))
        blamed = sql.rows(BLAME, (sql.uuids(transfers),))
        if len(transfers) == 1:
            for id, deaths in blamed:
                _decide(id, deaths, now)


def _decide(id: UUID, deaths: int, now: datetime) -> None:
    """One that a worker died of alone comes again later; after a few times a person must look."""
    if deaths >= DEATHS:
        trouble.set_aside(id, KILLS.format(deaths), now)
    else:
        pause = timedelta(seconds=2.0**deaths)
        sql.run("UPDATE wallets_transfer SET next_at = %s WHERE id = %s", (now + pause, id))
