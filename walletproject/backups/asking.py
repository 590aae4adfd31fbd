"""What a restored server is asked: how far recovery came, and everything that the ledger's proof asks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db import connections

from ledger import sql

ALIAS = "restored"
SEGMENT = re.compile(r"[0-9A-F]{24}")


@contextmanager
def asked(host: str) -> Iterator[None]:
    """The ledger asks the server of that socket meanwhile, of the product's database and in its role."""
    usual = connections["default"].settings_dict
    options = {name: value for name, value in usual["OPTIONS"].items() if name != "pool"}
    connections.databases[ALIAS] = usual | {"HOST": host, "PORT": "", "PASSWORD": "", "OPTIONS": options}
    try:
        with sql.using(ALIAS):
            yield
    finally:
        connections[ALIAS].close()
        del connections[ALIAS], connections.databases[ALIAS]


def last_change() -> datetime | None:
    """When the last change was committed that recovery came to; None where there was none since the backup."""
    at: datetime | None = sql.rows("SELECT pg_last_xact_replay_timestamp()")[0][0]
    return at


def unreached(archive: Path) -> str:
    """The newest whole file of an archive, where recovery ended before it; else empty."""
    whole = sorted(path.name for path in archive.iterdir() if SEGMENT.fullmatch(path.name)) if archive.is_dir() else []
    reached = sql.rows("SELECT pg_walfile_name(pg_last_wal_replay_lsn())")[0][0]
    # Without the timeline, which is a new one from here on.
    return whole[-1] if whole and whole[-1][8:] > reached[8:] else ""
