"""Over HTTP: the product's own server and database, clients on the same machine, authenticated by JWT."""

import http.client
import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import msgspec
from rich.console import Console

from benchmarks import payments
from benchmarks.load import CONNECTIONS, transfers, wrk
from benchmarks.measure import Row, compare, timed
from benchmarks.server import Server, forget_peak, megabytes, running

CLIENTS = 2
BATCHES = {1_000: 6, 10_000: 2}


def rows(*, quick: bool) -> Iterator[Row]:
    """Batches first, on a fresh server, so that their memory shows; then one request at a time."""
    rounds, seconds = (2, 2) if quick else (5, 3)
    with running() as server:
        send_batches(server, 100, 20)
        yield _memory(server)
        for size, count in BATCHES.items():
            yield _batches(server, size, count, rounds)
        if shutil.which("wrk") is None:
            Console(stderr=True).print("The rows of single requests need wrk: apt-get install wrk")
            return
        yield from _singles(server, rounds, seconds)
        yield from payments.rows(server, rounds=rounds, seconds=seconds)


def send_batches(server: Server, size: int, count: int) -> float:
    """Transfers a second, from clients that send `count` batches each, one after the other."""
    bodies = [[_body(server, size) for _ in range(count)] for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        return size * count * CLIENTS / timed(lambda: list(clients.map(lambda each: _send(server, each), bodies)))


def _body(server: Server, size: int) -> bytes:
    pairs = (random.sample(server.wallets, 2) for _ in range(size))
    transfers = [{"source": source, "destination": to, "amount": random.randint(1, 100)} for source, to in pairs]
    return msgspec.json.encode({"transfers": transfers})


def _send(server: Server, bodies: list[bytes]) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    for body in bodies:
        connection.request("POST", "/api/v1/transfers/batch", body, server.headers | {"Idempotency-Key": uuid4().hex})
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200 or msgspec.json.decode(answer)["failed"]:
            raise RuntimeError(f"{response.status}: {answer[:300]!r}")
    connection.close()


def _memory(server: Server) -> Row:
    before = {pid: megabytes(pid, "VmRSS") for pid in server.workers()}
    for pid in before:
        forget_peak(pid)
    for _ in range(3):
        _send(server, [_body(server, 10_000)])
    grown = max(megabytes(pid, "VmHWM") - held for pid, held in before.items())
    what, detail = "memory of a web process for a batch of 10,000", f"{max(before.values()):,.0f} MB before"
    return Row(what, "before", grown, 150, at_most=True, unit="MB more", detail=detail)


def _batches(server: Server, size: int, count: int, rounds: int) -> Row:
    measured = sorted(send_batches(server, size, count) for _ in range(rounds))
    what, detail = f"POST /transfers/batch, {size:,} items", f"{CLIENTS} clients, {count * size:,} transfers each"
    return Row(what, "seconds", measured[len(measured) // 2], 10_000, unit="transfers/s", detail=detail)


def _singles(server: Server, rounds: int, seconds: int) -> Iterator[Row]:
    balance = f"/api/v1/wallets/{server.wallets[0]}/balance"

    def empty() -> float:
        return wrk(server, "/empty", seconds).rate

    acts: dict[str, tuple[Callable[[], float], float]] = {
        f"POST /transfers, {CONNECTIONS} connections": (lambda: transfers(server, seconds), 0.2),
        f"GET …/balance, {CONNECTIONS} connections": (lambda: wrk(server, balance, seconds).rate, 0.6),
    }
    for what, (act, target) in acts.items():
        act(), empty()
        yield compare(what, "an empty authenticated view", act, empty, rounds=rounds, target=target, of="requests")
