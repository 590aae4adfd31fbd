"""How much waits for workers and for how long, asked of the database when Prometheus comes: the rows are the queues."""

import logging
from collections.abc import Iterable
from threading import Lock
from time import monotonic
from typing import NamedTuple

from django.db import Error, connection, transaction
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from wallets.metrics import streams

logger = logging.getLogger(__name__)

# Seconds for which an answer serves, however often and from wherever we are scraped.
FRESH = 5.0
# A longer queue is told as this long: it is trouble anyway, and the count must stay cheap.
MOST = 100_000


class Queue(NamedTuple):
    """Rows of a table whose moment `due`, which an index leads to, has come."""

    name: str
    table: str
    due: str


# One line for each.
QUEUES: tuple[Queue, ...] = (
    Queue("withdrawals", "wallets_withdrawal", "next_at"),
    Queue("transfers", "wallets_transfer", "next_at"),
    Queue("top_ups", "wallets_topup", "next_at"),
    Queue("webhooks", "wallets_webhookevent", "next_at"),
    Queue("balances", "wallets_provideraccount", "next_at"),
    Queue("usage", "wallets_usageaccount", "settle_at"),
)

WAITING = """
SELECT count(*), coalesce(extract(epoch FROM statement_timestamp() - min(due)), 0)::float8
FROM (SELECT {due} AS due FROM {table} WHERE {due} <= statement_timestamp() ORDER BY {due} LIMIT {most}) AS waiting
"""


class Queues:
    """Collects depth and age of every queue; a database that is away takes only these from the answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = 0.0
        self._told: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if monotonic() >= self._until:
                self._told, self._until = _tell(), monotonic() + FRESH
            return self._told


def measured() -> list[tuple[str, int, float]]:
    """Each queue with how many rows are due, and for how many seconds the first has been."""
    return [(queue.name, *_ask(queue)) for queue in QUEUES]


def _tell() -> list[Metric]:
    depth = GaugeMetricFamily("wallet_queue_depth", "Rows whose turn has come.", labels=["queue"])
    age = GaugeMetricFamily("wallet_queue_oldest_seconds", "For how long the first is overdue.", labels=["queue"])
    try:
        for name, waiting, seconds in measured():
            depth.add_metric([name], waiting)
            age.add_metric([name], seconds)
        return [depth, age, *streams.lags()]
    except Error as error:
        logger.warning("The queues can't be measured: %s", error)
        return [depth, age]


def _ask(queue: Queue) -> tuple[int, float]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '2s'")
        cursor.execute(WAITING.format(due=queue.due, table=queue.table, most=MOST))
        return cursor.fetchone()
