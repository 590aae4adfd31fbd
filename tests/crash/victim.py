"""The product as a victim: its processes found by their place below the supervisor, and ended without a word."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import redis

from tests.test_start import ROOT, Product

READY_SECONDS = 30


class Victim(Product):
    """`make run` without rate limits, whose processes can be killed one by one. The supervisor brings them back."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.environment["RATELIMIT_ENABLE"] = "false"

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill_a_web_process(self) -> None:
        """One of those that answer requests; their parent notices."""
        kill(self._child("granian"))

    def kill_the_web(self) -> None:
        """All of it, the parent first."""
        parent = self._program("granian")
        kill(parent, *children(parent))

    def kill_a_payout(self) -> None:
        """One of the processes that run tasks, whatever it is doing."""
        kill(self._child("celery", "worker"))

    def kill_the_worker(self) -> None:
        """The whole worker, the parent first."""
        parent = self._program("celery", "worker")
        kill(parent, *children(parent))

    def kill_beat(self) -> None:
        """Who rings for the sweeps."""
        kill(self._program("celery", "beat"))

    def kill_the_database(self) -> None:
        """PostgreSQL: its first process alone, as the kernel does when memory is short, or all of it at once."""
        kill(self._program("bin/postgres"), with_signal=random.choice((signal.SIGKILL, signal.SIGQUIT)))

    def empty_the_broker(self) -> None:
        """Valkey dies, comes back, and has forgotten everything."""
        kill(self._program("valkey-server"))
        wait_for("Valkey is back", self._flushed)

    def wait_until_ready(self) -> None:
        """Return when it says that it is ready again."""
        wait_for("the product is ready again", lambda: self.get("/health/ready") == 200)

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`manage.py` in another terminal."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, text=True, capture_output=True, timeout=60)

    def sql(self, statement: str) -> list[tuple]:
        """Rows of its database, read in the application's role."""
        with psycopg.connect(self._address("DATABASE_URL"), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _flushed(self) -> bool:
        with redis.Redis.from_url(self._address("REDIS_URL")) as broker:
            return bool(broker.flushall())

    def _address(self, name: str) -> str:
        lines = (self.data / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[name].strip("'")

    def _program(self, *words: str) -> int:
        """The process right below the supervisor whose command line has these words; waits for one that is away."""
        return first(
            " ".join(words),
            lambda: [pid for pid in children(self.process.pid) if all(word in command(pid) for word in words)],
        )

    def _child(self, *words: str) -> int:
        """One of the processes below that one."""
        return first(f"a child of {' '.join(words)}", lambda: shuffled(children(self._program(*words))))


def kill(*pids: int, with_signal: signal.Signals = signal.SIGKILL) -> None:
    """Signal each; one may have ended already, because another did."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, with_signal)


def children(parent: int) -> list[int]:
    """The processes whose parent it is, without those that only wait to be buried."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, above = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(above) == parent and state != "Z" and "resource_tracker" not in command(int(folder.name)):
                found.append(int(folder.name))
    return found


def command(pid: int) -> str:
    """Its command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def shuffled(pids: list[int]) -> list[int]:
    return random.sample(pids, len(pids))


def first(what: str, look: Callable[[], list[int]]) -> int:
    """The first that is found; looks again for as long as there is none."""
    found: list[int] = []

    def there() -> bool:
        found[:] = look()
        return bool(found)

    wait_for(f"{what} runs", there)
    return found[0]


def wait_for(what: str, true: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
    """Return once it is so; to be refused or cut off on the way is part of it."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError, redis.RedisError):
            if true():
                return
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
