"""Both embedded servers together, and the environment that leads to them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from walletproject.local.folder import DataFolder
from walletproject.local.postgres import APPLICATION, BACKUP, OWNER, Postgres
from walletproject.local.processes import MARK, Child, clear_left_behind, stop_all
from walletproject.local.valkey import Valkey

STOP_SECONDS = 6.0


class Servers:
    """What of PostgreSQL and Valkey the folder must provide; a server named by the environment is not started."""

    def __init__(self, folder: DataFolder, *, durable: bool = True, always: bool = False) -> None:
        self.folder = folder
        self.postgres = Postgres(folder, durable=durable) if always or "DATABASE_URL" not in os.environ else None
        self.valkey = Valkey(folder, durable=durable) if always or "REDIS_URL" not in os.environ else None
        self.children: list[Child] = []

    def start(self) -> dict[str, str]:
        """Start them and return the environment of everything that uses them. Raises CannotRun."""
        clear_left_behind(str(self.folder.path))
        if self.valkey:
            self.children.append(self.valkey.start())
        if self.postgres:
            self.children.append(self.postgres.start())
        environment = self.environment()
        self.folder.publish(environment)
        return dict(os.environ) | environment | {"DATA_DIR": str(self.folder.path)}

    def environment(self) -> dict[str, str]:
        """Addresses and keys: the caller's own where they are set, else ours."""
        roles = {"DATABASE_URL": APPLICATION, "DATABASE_OWNER_URL": OWNER, "DATABASE_BACKUP_URL": BACKUP}
        given = {name: os.environ[name] for name in roles if name in os.environ}
        if self.postgres:
            given = {name: self.postgres.url(role) for name, role in roles.items()}
        return given | {
            "REDIS_URL": self.valkey.url if self.valkey else os.environ["REDIS_URL"],
            "SECRET_KEY": os.environ.get("SECRET_KEY") or self.folder.kept("SECRET_KEY"),
            "ENCRYPTION_KEYS": os.environ.get("ENCRYPTION_KEYS") or self.folder.kept("ENCRYPTION_KEYS"),
        }

    def stop(self) -> None:
        """Shut them down in order, in seconds; PostgreSQL writes everything first."""
        stop_all(self.children, seconds=STOP_SECONDS)


@contextmanager
def running(folder: DataFolder, *, durable: bool) -> Iterator[dict[str, str]]:
    """Servers of our own for as long as the block runs. Gives the environment that leads to them."""
    servers = Servers(folder, durable=durable, always=True)
    try:
        yield servers.start() | {MARK: ""}
    finally:
        servers.stop()
