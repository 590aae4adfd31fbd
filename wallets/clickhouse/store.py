"""Questions about events, answered by ClickHouse."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from wallets.usage.stores import Stored, Used

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Ids as text are in the order that PostgreSQL has them in.
EVENTS = """
SELECT toUnixTimestamp64Micro(occurred_at), toUnixTimestamp64Micro(received_at), key, wallet, meter, quantity, source,
       event_id, properties
FROM wallet_usage_event FINAL
WHERE wallet = {wallet:UUID} AND occurred_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
    AND occurred_at < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
ORDER BY occurred_at, toString(key)
"""
# A step's beginning, in microseconds since 1970; days and what divides them begin with the day.
USED = """
SELECT intDiv(toUnixTimestamp64Micro(occurred_at), {step:Int64}) * {step:Int64} AS at, meter, count(), sum(quantity),
       max(quantity)
FROM wallet_usage_event FINAL
WHERE wallet = {wallet:UUID} AND occurred_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
    AND occurred_at < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
GROUP BY at, meter ORDER BY at, meter
"""


class ClickHouseStore:
    """The copy, for CLICKHOUSE_DAYS. It lags by what isn't copied yet."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def events(self, wallet: UUID, since: datetime, until: datetime) -> Iterator[Stored]:
        """A wallet's events by when they occurred, as the server sends them."""
        with self._client.query_row_block_stream(EVENTS, parameters=_asked(wallet, since, until)) as blocks:
            for block in blocks:
                for occurred_at, received_at, *row in block:
                    yield Stored(_moment(occurred_at), _moment(received_at), *row)

    def used(self, wallet: UUID, step: timedelta, since: datetime, until: datetime) -> list[Used]:
        """What a wallet's events come to in each step, oldest first."""
        asked = _asked(wallet, since, until) | {"step": step // timedelta(microseconds=1)}
        rows = self._client.query(USED, parameters=asked).result_rows
        return [Used(_moment(at), *row) for at, *row in rows]


def _asked(wallet: UUID, since: datetime, until: datetime) -> dict[str, Any]:
    return {"wallet": wallet, "since": microseconds(since), "until": microseconds(until)}


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _moment(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)
