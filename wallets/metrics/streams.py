"""How far consumers of streams are behind, as they have written it down."""

from django.db import connection, transaction
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

LABELS = ("group", "topic", "partition")
READ = """
SELECT consumers, topic, partition::text, end_offset - next_offset,
       extract(epoch FROM statement_timestamp() - seen_at)::float8
FROM wallets_kafkaoffset
"""


def lags() -> list[Metric]:
    """Messages of each partition that wait, and how old that knowledge is: a consumer that died says nothing more.

    Raises Django's database errors.
    """
    lag = GaugeMetricFamily("wallet_kafka_lag", "Messages of a partition that aren't taken.", labels=LABELS)
    age = GaugeMetricFamily("wallet_kafka_seen_seconds", "How long ago a consumer told of it; 5 is usual.",
                            labels=LABELS)  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '2s'")
        cursor.execute(READ)
        for *labels, waiting, seconds in cursor.fetchall():
            lag.add_metric(labels, waiting)
            age.add_metric(labels, seconds)
    return [lag, age]
