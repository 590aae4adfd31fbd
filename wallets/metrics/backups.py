"""How old the last backup is, its last rehearsal, and how far the WAL's archive is behind, asked of the database: who
takes backups has ended by then.
"""

import logging
from collections.abc import Iterable
from math import inf

from django.db import Error, connection, transaction
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from wallets import wal

logger = logging.getLogger(__name__)

AGES = """
SELECT extract(epoch FROM statement_timestamp() - max(ended_at) FILTER (WHERE verified AND removed_at IS NULL))::float8,
       extract(epoch FROM statement_timestamp() - max(rehearsed_at))::float8
FROM wallets_backup
"""


class Backups:
    """Collects them; a database that is away takes only these from the answer."""

    def collect(self) -> Iterable[Metric]:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(AGES)
                age, rehearsed = cursor.fetchone()
            archiver = wal.archiver()
        except Error as error:
            logger.warning("The backups can't be looked up: %s", error)
            return
        yield _gauge("wallet_backup_age_seconds", "For how long the last verified backup is there.", age)
        yield _gauge("wallet_backup_rehearsal_age_seconds", "For how long none was restored as a rehearsal.", rehearsed)
        behind = archiver.behind if archiver else None
        yield _gauge("wallet_wal_archive_behind_bytes", "How much WAL is kept since it isn't archived yet.", behind)


def _gauge(name: str, says: str, value: float | None) -> Metric:
    """Never is endless, so that one alert serves for both."""
    return GaugeMetricFamily(name, says, inf if value is None else value)
