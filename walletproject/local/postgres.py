"""An embedded PostgreSQL 18: the binaries of a wheel under our own supervisor, with the roles that production has."""

import os
import shutil
import signal
import subprocess
import time
from urllib.parse import quote

import psycopg
from psycopg import sql

from walletproject.local.failures import CannotRun
from walletproject.local.folder import DataFolder, write_private
from walletproject.local.identity import plain_identity
from walletproject.local.installation import binaries, home_for, plain_environment
from walletproject.local.pidfile import forget_stale_pid
from walletproject.local.ports import choose_port
from walletproject.local.processes import Child, bound_to_parent

SUPERUSER, DATABASE = "postgres", "wallet"
OWNER, APPLICATION, BACKUP = "wallet_owner", "wallet_app", "wallet_backup"
# The kernel's limit for a socket's path is 108 bytes, of which the file's own name takes some.
SOCKET_FOLDER_LIMIT = 85
START_SECONDS = 120.0
SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    # For an archive that is away; beyond it goes without, and the next backup closes the gap.
    "max_slot_wal_keep_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "cluster_name": "wallet",
}
# For tests: a power cut may lose everything. `synchronous_commit` stays as it is, since the product itself sets it.
VOLATILE = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "10min",
    # The thousands of rounds that keep a stolen hash from being guessed are half of what a connection costs.
    "scram_iterations": "1",
}


class Postgres:
    """One server whose data live below the folder. `durable=False` trades every guarantee after a crash for speed."""

    def __init__(self, folder: DataFolder, *, durable: bool = True) -> None:
        self.folder = folder
        self.identity = plain_identity()
        self.home = home_for(folder, self.identity)
        self.data = self.home / "data"
        self.sockets = self.home / "socket"
        self.by_socket = len(os.fsencode(self.sockets)) <= SOCKET_FOLDER_LIMIT
        self.bin = binaries(self.home, self.identity)
        self.durable = durable
        self.child: Child

    def url(self, role: str, database: str = DATABASE) -> str:
        """A libpq address, which django-environ reads the same way."""
        password = quote(self.folder.kept(role), safe="")
        if self.by_socket:
            return f"postgresql://{role}:{password}@/{database}?host={quote(str(self.sockets))}"
        return f"postgresql://{role}:{password}@127.0.0.1:{self._port()}/{database}"

    def start(self) -> Child:
        """Start it, the first time with an empty database, and return when it answers. Raises CannotRun."""
        if not self.data.exists():
            self._initialise()
        for record in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*.lock")):
            forget_stale_pid(record)
        self.child = Child(
            name="postgres",
            command=[str(self.bin / "postgres"), "-D", str(self.data), *self._options()],
            log=self.folder.log("postgres"),
            environment=plain_environment(),
            # Fast shutdown: clients are disconnected, everything is on disk before it ends.
            stop_signal=signal.SIGINT,
            identity=self.identity,
            cwd=self.home,
        )
        self.child.start()
        self._wait_until_it_answers()
        self._make_roles()
        return self.child

    def _initialise(self) -> None:
        draft, password = self.home / "data.new", self.home / "password"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        write_private(password, self.folder.kept(SUPERUSER))
        for path in (draft, password):
            self.identity.own(path)
        made = subprocess.run(
            [
                str(self.bin / "initdb"),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                *([] if self.durable else ["--no-sync"]),
            ],
            env=plain_environment(),
            cwd=self.home,
            capture_output=True,
            text=True,
            preexec_fn=bound_to_parent(signal.SIGTERM, self.identity),
        )
        password.unlink()
        if made.returncode != 0:
            raise CannotRun(f"PostgreSQL could not make its data folder {draft}:\n{made.stdout}{made.stderr}")
        # Only a finished one bears the name, so that an interrupted first start is simply repeated.
        draft.rename(self.data)

    def _options(self) -> list[str]:
        settings = SETTINGS | ({} if self.durable else VOLATILE)
        if self.by_socket:
            self.sockets.mkdir(exist_ok=True)
            self.identity.own(self.sockets)
            settings |= {"listen_addresses": "", "unix_socket_directories": str(self.sockets)}
        else:
            settings |= {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": self._port()}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _port(self) -> str:
        return self.folder.remembered("postgres_port") or choose_port(self.folder, "postgres_port")

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.child.alive and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        self.child.kill()
        raise CannotRun(f"PostgreSQL did not start. The end of {self.child.log}:\n{self.child.last_words()}")

    def _make_roles(self) -> None:
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role, rights in ((OWNER, "LOGIN CREATEDB"), (APPLICATION, "LOGIN"), (BACKUP, "LOGIN REPLICATION")):
                verb = "ALTER" if role in roles else "CREATE"
                password = self.folder.kept(role)
                statement = sql.SQL(f"{verb} ROLE {{}} {rights} PASSWORD {{}}")
                connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                names = sql.Identifier(DATABASE), sql.Identifier(OWNER)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
