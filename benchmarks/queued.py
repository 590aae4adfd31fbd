"""Queued transfers: how quickly they are accepted over HTTP, and how quickly workers make them."""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.load import CONNECTIONS, transfers
from benchmarks.measure import Row, compare
from benchmarks.server import Server, environment, running
from walletproject.local.programs import ROOT

WORKERS = 2
# Lets the transfers of this file's every round wait at once.
MANY = {"TRANSFER_QUEUE_LIMIT": "0"}


def rows(*, quick: bool) -> Iterator[Row]:
    """Workers first, on a fresh queue; then requests, which fill it."""
    rounds, seconds, count = (2, 2, 10_000) if quick else (5, 3, 30_000)
    with running(MANY) as server:
        yield _drained(server, count, rounds)
        if shutil.which("wrk") is not None:
            yield _accepted(server, rounds, seconds)


def _drained(server: Server, count: int, rounds: int) -> Row:
    rate = statistics.median(drain(server, count) for _ in range(rounds))
    detail = f"{count:,} in batches of 500, {WORKERS} workers that take turns"
    return Row("queued transfers drained", "seconds", rate, 5_000, unit="transfers/s", detail=detail)


def drain(server: Server, count: int) -> float:
    """Transfers a second, from the moment when workers that are up are told that some wait."""
    with _worker("accept", str(count)) as accepting:
        accepting.communicate("\n".join(server.wallets))
    drainers = [_worker("drain") for _ in range(WORKERS)]
    for each in drainers:
        each.stdout.readline()
    start = time.perf_counter()
    made = sum(int(each.communicate()[0]) for each in _told(drainers))
    taken = time.perf_counter() - start
    if made != count:
        raise RuntimeError(f"{made} of {count} were made")
    return count / taken


def _told(drainers: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """All of them start before the first is waited for."""
    for each in drainers:
        each.stdin.write("go\n")
        each.stdin.flush()
    return drainers


def _worker(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.drainer", *arguments], env=environment(MANY), cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def _accepted(server: Server, rounds: int, seconds: int) -> Row:
    def queued() -> float:
        return transfers(server, seconds, 'wrk.headers["Prefer"] = "respond-async"')

    def made() -> float:
        return transfers(server, seconds)

    queued(), made()
    what = f"POST /transfers that are queued, {CONNECTIONS} connections"
    return compare(what, "made at once", queued, made, rounds=rounds, target=1.0, of="requests")
