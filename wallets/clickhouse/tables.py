"""ClickHouse as we use it: the client, and the one table.

A day of receipt (UTC) is a partition, as in PostgreSQL: it is made anew whole, and dropped whole when it is old. An
event that is copied twice is one row, as its key is what rows of a day are told apart by. No view counts rows as they
come: it would count them twice.
"""

import importlib
from typing import Any

from django.conf import settings


class NotSetUp(Exception):
    """ClickHouse can't be used; what it says tells what to do."""


TABLE = """
CREATE TABLE IF NOT EXISTS wallet_usage_event (
    wallet UUID, occurred_at DateTime64(6, 'UTC'), key UUID, meter LowCardinality(String), quantity Decimal(24, 9),
    source LowCardinality(String), event_id String, properties String, received_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree PARTITION BY toYYYYMMDD(received_at, 'UTC') ORDER BY (wallet, occurred_at, key)
TTL toDateTime(received_at) + INTERVAL {days} DAY SETTINGS ttl_only_drop_parts = 1
"""
COLUMNS = ("occurred_at", "received_at", "key", "wallet", "meter", "quantity", "source", "event_id", "properties")


def connect() -> Any:
    """A client of CLICKHOUSE_URL, where the table is made if it isn't there. Raises NotSetUp."""
    if not settings.CLICKHOUSE_URL:
        raise NotSetUp("Say in CLICKHOUSE_URL where ClickHouse is: https://user:password@host:8443/database.")
    try:
        library = importlib.import_module("clickhouse_connect")
    except ImportError as missing:
        detail = "ClickHouse needs clickhouse-connect: pip install -r requirements-clickhouse.txt"
        raise NotSetUp(detail) from missing
    client = library.get_client(dsn=settings.CLICKHOUSE_URL)
    client.command(TABLE.format(days=settings.CLICKHOUSE_DAYS))
    return client
