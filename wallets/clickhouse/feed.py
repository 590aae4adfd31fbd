"""Copying events to ClickHouse, in the order of their transactions, behind a cursor.

Below the oldest transaction that runs no more events will come: up to there they are copied. What was sent before the
cursor moved is sent again, and is the same row.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F

from ledger import sql
from ledger.durable import durable
from wallets.clickhouse.tables import COLUMNS
from wallets.models import UsageFeed
from wallets.usage import feed as usage
from wallets.usage.feed import BEGINNING, Cursor

NAME = "clickhouse"
BATCH = 50_000
DAY = f"""
SELECT {usage.COLUMNS}
FROM wallets_usageevent e JOIN wallets_meter m ON m.id = e.meter_id
WHERE e.received_at >= %(day)s AT TIME ZONE 'UTC' AND e.received_at < %(next)s AT TIME ZONE 'UTC'
    AND (e.written_by, e.key) <= (%(xid)s, %(sent)s) AND e.key > %(key)s
ORDER BY e.key LIMIT %(limit)s
"""


@durable
def open_feed(*, now: datetime) -> Cursor:
    """How far it is; the beginning where nothing was copied."""
    beginning = {"transaction": BEGINNING.transaction, "key": BEGINNING.key, "moved_at": now}
    found, _ = UsageFeed.objects.get_or_create(store=NAME, defaults=beginning)
    return Cursor(found.transaction, found.key)


def feed(client: Any, *, now: datetime, limit: int = BATCH) -> int:
    """Copy the next events; returns how many. 0: all are copied, but for those of transactions that may still run."""
    cursor = open_feed(now=now)
    found = usage.following(cursor, limit=limit)
    if found:
        send(client, [each.event for each in found])
        _move(cursor, found[-1].cursor, len(found), now)
    return len(found)


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
        + timedelta(days=1), "xid": cursor.transaction, "sent": cursor.key, "key": BEGINNING.key, "limit": BATCH,
    }  # fmt: skip
    count = 0
    while rows := sql.rows(DAY, asked):
        send(client, rows)
        asked["key"], count = rows[-1][2], count + len(rows)
    return count
