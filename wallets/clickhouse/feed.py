"""Copying events to ClickHouse, in the order of their transactions, behind a cursor.

Below the oldest transaction that runs no more events will come: up to there they are copied. What was sent before the
cursor moved is sent again, and is the same row.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F

from ledger import sql
from ledger.durable import durable
from wallets.clickhouse.tables import COLUMNS
from wallets.models import UsageFeed

NAME = "clickhouse"
BATCH = 50_000
COLUMN_LIST = """
e.occurred_at, e.received_at, e.key, e.wallet_id, m.slug, e.quantity, e.source, e.event_id, e.properties::text
"""
NEXT = f"""
SELECT e.written_by, {COLUMN_LIST}
FROM wallets_usageevent e JOIN wallets_meter m ON m.id = e.meter_id
WHERE e.written_by >= %(xid)s AND (e.written_by, e.key) > (%(xid)s, %(key)s)
    AND e.written_by < pg_snapshot_xmin(pg_current_snapshot())::text::int8
ORDER BY e.written_by, e.key LIMIT %(limit)s
"""
WAITING = """
SELECT count(*) FROM (
    SELECT FROM wallets_usageevent e
    WHERE e.written_by >= %(xid)s AND (e.written_by, e.key) > (%(xid)s, %(key)s) LIMIT %(limit)s
) AS waiting
"""
DAY = f"""
SELECT {COLUMN_LIST}
FROM wallets_usageevent e JOIN wallets_meter m ON m.id = e.meter_id
WHERE e.received_at >= %(day)s AT TIME ZONE 'UTC' AND e.received_at < %(next)s AT TIME ZONE 'UTC'
    AND (e.written_by, e.key) <= (%(xid)s, %(sent)s) AND e.key > %(key)s
ORDER BY e.key LIMIT %(limit)s
"""


class Cursor(NamedTuple):
    """The last event that was copied."""

    transaction: int
    key: UUID


@durable
def open_feed(*, now: datetime) -> Cursor:
    """How far it is; the beginning where nothing was copied."""
    found, _ = UsageFeed.objects.get_or_create(store=NAME, defaults={"key": UUID(int=0), "moved_at": now})
    return Cursor(found.transaction, found.key)


def feed(client: Any, *, now: datetime, limit: int = BATCH) -> int:
    """Copy the next events; returns how many. 0: all are copied, but for those of transactions that may still run."""
    cursor = open_feed(now=now)
    rows = sql.rows(NEXT, {"xid": cursor.transaction, "key": cursor.key, "limit": limit})
    if rows:
        send(client, [row[1:] for row in rows])
        _move(cursor, Cursor(rows[-1][0], rows[-1][3]), len(rows), now)
    return len(rows)


def waiting(cursor: Cursor, *, limit: int) -> int:
    """How many events aren't copied yet, those of transactions that may still run among them; counted up to a limit."""
    count: int = sql.rows(WAITING, {"xid": cursor.transaction, "key": cursor.key, "limit": limit})[0][0]
    return count


def send(client: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert events, as one block of each day."""
    client.insert("wallet_usage_event", rows, column_names=COLUMNS)


@durable
def _move(seen: Cursor, reached: Cursor, count: int, now: datetime) -> None:
    """Unless somebody else has: they have sent the same."""
    UsageFeed.objects.filter(store=NAME, transaction=seen.transaction, key=seen.key).update(
        transaction=reached.transaction, key=reached.key, events=F("events") + count, moved_at=now
    )


def refeed(client: Any, day: date, *, now: datetime) -> int:
    """Make a day of receipt anew from PostgreSQL; returns how many events it has. Meanwhile the copy lacks some."""
    cursor = open_feed(now=now)
    client.command(f"ALTER TABLE wallet_usage_event DROP PARTITION {day:%Y%m%d}")
    asked = {
        "day": datetime.combine(day, datetime.min.time()), "next": datetime.combine(day, datetime.min.time())
        + timedelta(days=1), "xid": cursor.transaction, "sent": cursor.key, "key": UUID(int=0), "limit": BATCH,
    }  # fmt: skip
    count = 0
    while rows := sql.rows(DAY, asked):
        send(client, rows)
        asked["key"], count = rows[-1][2], count + len(rows)
    return count
