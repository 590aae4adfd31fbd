"""The product's web server with a database of its own, and what it holds in memory."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import sql

from benchmarks import books
from walletproject.local.programs import BACKLOG, BLOCKING_THREADS, ROOT

DATABASE = "bench_http"
WORKERS = 2
START_SECONDS = 30
# A line for each request, of how many milliseconds it took in the server, and of what was asked.
TIMED = {"GRANIAN_LOG_ACCESS_ENABLED": "true", "GRANIAN_LOG_ACCESS_FMT": "%(dt_ms).3f %(path)s"}


@dataclass(frozen=True)
class Server:
    """Where it is, who calls it, between which wallets they move money, and to which bank account."""

    pid: int
    host: str
    port: int
    token: str
    wallets: list[str]
    bank_account: str
    log: Path

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    def took(self, path_end: str) -> list[float]:
        """How many seconds each request for such a path took, where it is TIMED."""
        lines = [line.split(" ", 1) for line in self.log.read_text().splitlines() if line.endswith(path_end)]
        return [float(milliseconds) / 1_000 for milliseconds, _ in lines]

    def workers(self) -> list[int]:
        """The processes that answer."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


@contextmanager
def running(more: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The server, as `make run` starts it, for as long as the block runs; with more in its environment if need be."""
    variables = made(more)
    seeded = json.loads(python(variables, "-m", "benchmarks.http_seed"))
    books.settle(DATABASE)
    host, port = "127.0.0.1", _free_port()
    log = Path(variables["DATA_DIR"]) / "bench_http.log"
    with log.open("wb") as output:
        process = subprocess.Popen(_command(host, port), env=variables, cwd=ROOT, stdout=output, stderr=output)
    try:
        found = Server(process.pid, host, port, log=log, **seeded)
        _wait(found)
        yield found
    finally:
        process.terminate()
        process.wait(20)
        books.drop(DATABASE)


def made(more: Mapping[str, str] | None = None, *, name: str = DATABASE) -> dict[str, str]:
    """The environment of the product's processes, with a database that has just been made."""
    variables = environment(more, name=name)
    books.drop(name)
    with books.owner() as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    python(variables, str(ROOT / "manage.py"), "migrate", "--database", "owner", "--verbosity", "0")
    return variables


def environment(more: Mapping[str, str] | None = None, *, name: str = DATABASE) -> dict[str, str]:
    """What the server's process, and any other of the product's, finds in its environment."""
    own = {variable: _renamed(os.environ[variable], name) for variable in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    return dict(os.environ) | own | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.http_settings", "DATABASE_POOL": "true", "RATELIMIT_ENABLE": "false",
        "CELERY_ENABLED": "false", "LOG_LEVEL": "WARNING", "PYTHONPATH": str(ROOT),
    } | dict(more or {})  # fmt: skip


def _renamed(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def python(environment: Mapping[str, str], *arguments: str) -> str:
    """Run Python to its end, and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments], env=dict(environment), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def _command(host: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "walletproject.wsgi:application", "--interface", "wsgi", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(WORKERS)),
        *("--blocking-threads", str(BLOCKING_THREADS), "--backlog", str(BACKLOG), "--log-level", "warning"),
    ]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{server.address}/health", timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def megabytes(pid: int, field: str) -> float:
    """A process's VmRSS or VmHWM (its peak)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def forget_peak(pid: int) -> None:
    """Let VmHWM start again from what the process holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
