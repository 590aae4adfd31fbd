"""Whether the copy in ClickHouse is what PostgreSQL has: day by day of receipt, by count, sum and a sum of keys."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ledger import sql
from wallets.clickhouse import feed

OURS = """
SELECT (received_at AT TIME ZONE 'UTC')::date, count(*), sum(quantity),
       sum(('x' || left(key::text, 8))::bit(32)::int8)::int8
FROM wallets_usageevent WHERE (written_by, key) <= (%s, %s) GROUP BY 1
"""
COPY = """
SELECT toString(toDate(received_at, 'UTC')) AS day, count(), sum(quantity),
       sum(toUInt64(reinterpretAsUInt32(reverse(unhex(substring(toString(key), 1, 8))))))
FROM wallet_usage_event FINAL GROUP BY day
"""


class Sums(NamedTuple):
    """What a day comes to: events, quantities, and the first 32 bits of keys."""

    events: int
    quantity: Decimal
    keys: int


class Difference(NamedTuple):
    """A day that PostgreSQL still has, and of which the copy is another."""

    day: date
    ours: Sums
    copy: Sums


NOTHING = Sums(0, Decimal(0), 0)


def differences(client: Any, *, now: datetime) -> list[Difference]:
    """The days whose copy differs, of what was copied so far. Days that PostgreSQL has dropped can't be compared."""
    cursor = feed.open_feed(now=now)
    ours = {day: Sums(*sums) for day, *sums in sql.rows(OURS, cursor)}
    rows = client.query(COPY).result_rows
    copies = {date.fromisoformat(day): Sums(*sums) for day, *sums in rows}
    return [
        Difference(day, sums, copies.get(day, NOTHING))
        for day, sums in sorted(ours.items())
        if copies.get(day, NOTHING) != sums
    ]  # fmt: skip


def repair(client: Any, found: list[Difference], *, now: datetime) -> int:
    """Make these days anew; returns how many events were copied."""
    return sum(feed.refeed(client, each.day, now=now) for each in found)
