"""Servers of a test's own, which may be emptied, killed and restarted: nobody else's work goes with them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connections
from redis import Redis

from walletproject.backups.tests.conftest import address, copy_tables
from walletproject.local.folder import DataFolder
from walletproject.local.postgres import APPLICATION, OWNER, Postgres
from walletproject.local.valkey import Valkey


@dataclass
class Servers:
    """PostgreSQL with the product's tables, and Valkey. They are started in the main thread: they end with theirs."""

    postgres: Postgres
    valkey: Valkey

    def restart_postgres(self) -> None:
        """As `pg_ctl restart -m immediate`: whatever was under way is cut off, and recovered from the log."""
        self.stop_postgres()
        self.postgres.start()

    def stop_postgres(self) -> None:
        """Immediately, without a checkpoint."""
        self.postgres.child.ask_to_stop(signal.SIGQUIT)
        assert self.postgres.child.process is not None
        self.postgres.child.process.wait()

    def kill_valkey(self) -> None:
        """It has forgotten everything when it is started again."""
        self.valkey.child.kill()

    def empty_valkey(self) -> None:
        with Redis.from_url(self.valkey.url) as redis:
            redis.flushall()

    def caches(self, suites: dict[str, Any]) -> dict[str, Any]:
        """The suite's caches, kept there."""
        return {name: cache | {"LOCATION": self.valkey.url} for name, cache in suites.items()}


@contextmanager
def own_servers(folder: Path) -> Iterator[Servers]:
    """While the block runs, all connections to the database, of any thread or process, lead to a server of its own."""
    kept = DataFolder(folder)
    servers = Servers(Postgres(kept, durable=False), Valkey(kept, durable=False))
    suites = {alias: dict(connections.settings[alias]) for alias in ("default", "owner")}
    try:
        servers.postgres.start()
        servers.valkey.start()
        copy_tables(servers.postgres)
        _lead(default=address(servers.postgres, APPLICATION), owner=address(servers.postgres, OWNER))
        yield servers
    finally:
        _lead(**suites)
        for server in (servers.postgres, servers.valkey):
            server.child.kill()


def _lead(**where: dict[str, Any]) -> None:
    connections.close_all()
    for alias, settings in where.items():
        connections.settings[alias].update(settings)
