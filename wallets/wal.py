"""Who archives the WAL, as the server sees it: a slot, up to which everything is kept until it has been archived."""

from typing import NamedTuple

from django.db import connection, transaction

# By it the server knows what hasn't been archived yet.
SLOT = "wallet_archive"
ASK = """
SELECT active, coalesce(pg_current_wal_lsn() - restart_lsn, 'Infinity')::float8
FROM pg_replication_slots WHERE slot_name = %s
"""


class Archiver(NamedTuple):
    """Whether it follows at this moment, and how much the server keeps for it, in bytes; endless where that is lost."""

    follows: bool
    behind: float


def archiver() -> Archiver | None:
    """The one that archives the WAL; None where there never was one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ASK, [SLOT])
        found = cursor.fetchone()
    return Archiver(*found) if found else None
