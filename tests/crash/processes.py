"""Processes as the kernel sees them, ended without a word, and waiting for what comes after."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis

READY_SECONDS = 30


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
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)
