"""How old the last backup is, and its last rehearsal, asked of the database: who takes them has ended by then."""

import logging
from collections.abc import Iterable
from math import inf

from django.db import Error, connection, transaction
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

logger = logging.getLogger(__name__)

AGES = """
SELECT extract(epoch FROM statement_timestamp() - max(ended_at) FILTER (WHERE verified AND removed_at IS NULL))::float8,
       extract(epoch FROM statement_timestamp() - max(rehearsed_at))::float8
FROM wallets_backup
"""


class Backups:
    """Collects both ages; a database that is away takes only these from the answer."""

    def collect(self) -> Iterable[Metric]:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(AGES)
                age, rehearsed = cursor.fetchone()
        except Error as error:
            logger.warning("The backups can't be looked up: %s", error)
            return
        yield _gauge("wallet_backup_age_seconds", "For how long the last verified backup is there.", age)
        yield _gauge("wallet_backup_rehearsal_age_seconds", "For how long none was restored as a rehearsal.", rehearsed)


def _gauge(name: str, says: str, age: float | None) -> Metric:
    """Never is endless, so that one alert serves for both."""
    return GaugeMetricFamily(name, says, inf if age is None else age)
