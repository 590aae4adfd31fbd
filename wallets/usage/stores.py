"""What answers questions about events of long ago: PostgreSQL, as long as it keeps them, or a store that has a copy."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol
from uuid import UUID

from django.conf import settings

from ledger import sql


class Stored(NamedTuple):
    """An event as it was taken; `properties` are JSON."""

    occurred_at: datetime
    received_at: datetime
    key: UUID
    wallet: UUID
    meter: str
    quantity: Decimal
    source: str
    event_id: str
    properties: str


class Used(NamedTuple):
    """What events of a meter come to in the step that began at `at`, whatever the meter makes of them."""

    at: datetime
    meter: str
    events: int
    total: Decimal
    largest: Decimal


class UsageStore(Protocol):
    """A place where events are. Moments are UTC; `until` isn't included."""

    def events(self, wallet: UUID, since: datetime, until: datetime) -> Iterator[Stored]:
        """A wallet's events by when they occurred."""

    def used(self, wallet: UUID, step: timedelta, since: datetime, until: datetime) -> list[Used]:
        """What a wallet's events come to in each step, oldest first."""


EVENTS = """
SELECT e.occurred_at, e.received_at, e.key, e.wallet_id, m.slug, e.quantity, e.source, e.event_id, e.properties::text
FROM wallets_usageevent e JOIN wallets_meter m ON m.id = e.meter_id
WHERE e.wallet_id = %(wallet)s AND (e.occurred_at, e.key) > (%(after)s, %(key)s) AND e.occurred_at < %(until)s
ORDER BY e.occurred_at, e.key LIMIT %(limit)s
"""
USED = """
SELECT date_bin(%s, e.occurred_at, '2000-01-01 00:00Z'), m.slug, count(*), sum(e.quantity), max(e.quantity)
FROM wallets_usageevent e JOIN wallets_meter m ON m.id = e.meter_id
WHERE e.wallet_id = %s AND e.occurred_at >= %s AND e.occurred_at < %s GROUP BY 1, 2 ORDER BY 1, 2
"""
PAGE = 10_000
BEFORE_ALL = UUID(int=0)


def store() -> UsageStore:
    """The copy where there is one, which reaches further back; else the events themselves. Raises NotSetUp where the
    copy is wished for and its client isn't installed.
    """
    if not settings.CLICKHOUSE_URL:
        return PostgresStore()
    from wallets.clickhouse.store import ClickHouseStore
    from wallets.clickhouse.tables import connect

    return ClickHouseStore(connect())


class PostgresStore:
    """The events themselves, for USAGE_EVENT_DAYS."""

    def events(self, wallet: UUID, since: datetime, until: datetime) -> Iterator[Stored]:
        """A wallet's events by when they occurred, page by page."""
        asked = {"wallet": wallet, "after": since, "key": BEFORE_ALL, "until": until, "limit": PAGE}
        while page := [Stored(*row) for row in sql.rows(EVENTS, asked)]:
            yield from page
            asked |= {"after": page[-1].occurred_at, "key": page[-1].key}

    def used(self, wallet: UUID, step: timedelta, since: datetime, until: datetime) -> list[Used]:
        """What a wallet's events come to in each step, oldest first."""
        return [Used(*row) for row in sql.rows(USED, (step, wallet, since, until))]
