"""The product as a victim: its processes found by their place below the supervisor, and ended without a word."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from tests.crash.bank import Bank
from tests.crash.processes import READY_SECONDS, children, command, first, kill, shuffled, wait_for
from tests.test_start import ROOT, Product

# Somebody waits for what we have locked, in a transaction that has written or read the table before.
WAITS = """
SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid)
WHERE %s = ANY (pg_blocking_pids(a.pid)) AND l.relation = %s::regclass
"""


class Victim(Product):
    """`make run` without rate limits, whose processes can be killed one by one. The supervisor brings them back."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.bank = Bank(data.with_name("bank"), f"{self.base}/api/v1/webhooks/")
        self.environment |= self.bank.environment | {"RATELIMIT_ENABLE": "false"}

    def start(self) -> "subprocess.Popen[bytes]":
        """Return when it says that it is ready, and the simulator as well."""
        self.bank.start(self.environment)
        return super().start()

    def stop(self) -> None:
        """End all of it."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(25)
        if self.bank.process:
            self.bank.kill()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill_a_web_process(self) -> None:
        """One of those that answer requests; their parent notices."""
        kill(self._child("granian"))

    def kill_the_web(self) -> None:
        """All of it, the parent first."""
        kill(*self.web())

    def kill_a_payout(self) -> None:
        """One of the processes that run tasks, whatever it is doing."""
        kill(self._child("celery", "worker"))

    def web(self) -> list[int]:
        """The processes that take requests, their parent first: it would start others."""
        parent = self._program("granian")
        return [parent, *children(parent)]

    def kill_the_payouts(self) -> None:
        """All of the processes that run tasks; their parent gives their messages back and starts others."""
        kill(*children(self._program("celery", "worker")))

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

    def kill_the_bank(self) -> None:
        """The simulator dies in the middle of whatever it does, and goes on from its file."""
        self.bank.kill()
        self.bank.start(self.environment)

    @contextmanager
    def without_the_broker(self) -> Iterator[None]:
        """Valkey stands still: nobody is refused by it, and nobody answered."""
        broker = self._program("valkey-server")
        kill(broker, with_signal=signal.SIGSTOP)
        try:
            yield
        finally:
            kill(broker, with_signal=signal.SIGCONT)

    @contextmanager
    def locking(self, rows: str, *, until_stuck: str) -> Iterator[None]:
        """Lock what a statement selects; the block runs while a transaction that has touched a table waits for it."""
        with psycopg.connect(self._address("DATABASE_URL")) as lock:
            assert lock.execute(rows).fetchall(), f"nothing to lock: {rows}"
            who = (lock.info.backend_pid, until_stuck)
            wait_for(f"stuck with {until_stuck}", lambda: self.sql(WAITS, who)[0][0] > 0)
            yield

    def wait_until_ready(self) -> None:
        """Return when it says that it is ready again."""
        wait_for("the product is ready again", lambda: self.get("/health/ready") == 200)

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`manage.py` in another terminal."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, text=True, capture_output=True, timeout=60)

    def sql(self, statement: str, values: tuple = (), *, owner: bool = False) -> list[tuple]:
        """Rows of its database, read in the application's role unless it takes more."""
        address = self._address("DATABASE_OWNER_URL" if owner else "DATABASE_URL")
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def wait_at_once(self, what: str, statement: str, values: tuple) -> None:
        """Return within milliseconds of the commit that lets a statement find something."""
        deadline = time.monotonic() + READY_SECONDS
        with psycopg.connect(self._address("DATABASE_URL"), autocommit=True) as connection:
            while not connection.execute(statement, values).fetchall():
                assert time.monotonic() < deadline, f"not within {READY_SECONDS} s: {what}"

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
