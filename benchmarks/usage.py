"""Usage: events over HTTP against raw inserts of the same rows, balances while they pour in, and what millions cost."""

import http.client
import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec

from benchmarks import books
from benchmarks.measure import Row, against, in_turns, ratio, timed
from benchmarks.server import DATABASE, TIMED, Server, environment, made, python, running
from users.tests.signing import Signer
from walletproject.local.programs import ROOT

CLIENTS, BATCH, WALLETS = 4, 1_000, 100
POUR = 5_000
PATH = "/api/v1/usage/events/batch"
FEW, MANY, MANY_QUICK = 10_000, 10_000_000, 200_000
RECOUNTED, RECOUNTED_QUICK = 1_000_000, 100_000
# The rows that the product writes, in one statement, and nothing else: of the events, their keys and themselves …
EVENTS = """
WITH known AS (INSERT INTO wallets_usageeventkey (key, content, received_at)
               SELECT key, key, now() FROM unnest(%(keys)s::uuid[]) AS k (key))
{sums}
INSERT INTO wallets_usageevent (received_at, occurred_at, key, wallet_id, meter_id, quantity, source, event_id,
                                properties)
SELECT now(), e.*, '{{}}'
FROM unnest(%(moments)s::timestamptz[], %(keys)s::uuid[], %(wallets)s::uuid[], %(meters)s::uuid[],
            %(quantities)s::numeric[], %(sources)s::text[], %(ids)s::text[]) AS e
"""
# … and of what they come to, a row for each wallet's minute, month and account.
SUMS = """
, minutes AS (
    INSERT INTO wallets_usagerollup AS known (wallet_id, at, meter_id, price_id, grain, quantity, events, latest_at)
    SELECT w, m, %(meter)s, %(price)s, 60, 5, 5, now() FROM unnest(%(some)s::uuid[]) AS w, unnest(%(minutes)s) AS m
    ON CONFLICT (wallet_id, at, meter_id, price_id, grain) DO UPDATE SET quantity = known.quantity + 5,
        events = known.events + 5, latest_at = EXCLUDED.latest_at
), months AS (
    INSERT INTO wallets_usagemonth AS known (wallet_id, month, meter_id, price_id, quantity, events, latest_at, amount,
                                             settled_quantity, settled_amount)
    SELECT w, date_trunc('month', now()), %(meter)s, %(price)s, 10, 10, now(), 7, 0, 0
    FROM unnest(%(some)s::uuid[]) AS w
    ON CONFLICT (wallet_id, month, meter_id, price_id) DO UPDATE SET quantity = known.quantity + 10,
        events = known.events + 10, latest_at = EXCLUDED.latest_at, amount = known.amount + 7
), accounts AS (
    UPDATE wallets_usageaccount SET rated = rated + 7, version = version + 1, watermark = now(), settle_at = now()
    WHERE wallet_id = ANY (%(some)s)
)
"""
ALONE, WHOLE = EVENTS.format(sums=""), EVENTS.format(sums=SUMS)

Event = dict[str, str]
Request = tuple[dict[str, str], bytes]


@dataclass(frozen=True)
class Reporter:
    """A service that reports usage of the server's wallets."""

    server: Server
    signer: Signer

    def events(self) -> list[Event]:
        """A batch, each event with an id of its own, of some of the wallets in the last minute."""
        now, wallets = datetime.now(UTC), random.sample(self.server.wallets, WALLETS)
        return [
            {
                "event_id": uuid4().hex, "source": "bench", "wallet": random.choice(wallets),
                "meter": "calls", "quantity": str(random.randint(1, 1_000) / 100),
                "occurred_at": (now - timedelta(seconds=random.random() * 60)).isoformat(),
            }
            for _ in range(BATCH)
        ]  # fmt: skip

    def request(self) -> Request:
        """A batch, signed: a client's own work is done before it is measured, but for sending it."""
        body = msgspec.json.encode({"events": self.events()})
        headers = {"Content-Type": "application/json", "Host": f"{self.server.host}:{self.server.port}"}
        return self.signer.sign("POST", PATH, body=body, headers=headers).headers, body


def rows(*, quick: bool) -> Iterator[Row]:
    """Events first; then what is asked while they come, and after there are many."""
    # A client's connection is one web process's, as chance has it: in some rounds most are the same one's.
    rounds, batches = (2, 6) if quick else (9, 20)
    with running(TIMED) as server:
        client = json.loads(python(environment(), "-m", "benchmarks.metering", "seed"))
        reporter = Reporter(server, Signer(client["key_id"], client["secret"]))
        yield from _events(reporter, rounds, batches)
        yield from _while_they_pour(reporter, 3 if quick else 15)
    yield from _many(MANY_QUICK if quick else MANY, 2 if quick else 5)
    yield from _recalculation(RECOUNTED_QUICK if quick else RECOUNTED)


def _events(reporter: Reporter, rounds: int, batches: int) -> Iterator[Row]:
    wallets = reporter.server.wallets

    def ours() -> float:
        requests = [[reporter.request() for _ in range(batches)] for _ in range(CLIENTS)]
        return _rate(batches, requests, lambda each: _send(reporter.server, each))

    def raw(statement: str) -> float:
        # To each its own wallets: they take no care to lock them in one order.
        columns = [[_columns(wallets[client::CLIENTS]) for _ in range(batches)] for client in range(CLIENTS)]
        return _rate(batches, columns, lambda each: _insert(statement, each))

    acts = (ours, partial(raw, WHOLE), partial(raw, ALONE))
    for act in acts:
        act()
    mine, whole, alone = in_turns(*acts, rounds=rounds)
    what, told = f"usage events over HTTP, batches of {BATCH:,}, {CLIENTS} clients", "events/s"
    detail = f"each once and rated; {WALLETS} wallets in a batch"
    yield Row(what, "seconds", statistics.median(mine), 15_000, unit=told, detail=detail)
    yield Row("…", "raw inserts of the same rows", ratio(mine, whole), 0.7, detail=against(mine, whole, told))
    yield Row("…", "raw inserts of the events alone", ratio(mine, alone), detail=against(mine, alone, told))


def _rate(batches: int, work: Sequence[Any], send: Callable[[Any], None]) -> float:
    with ThreadPoolExecutor(CLIENTS) as clients:
        return batches * BATCH * CLIENTS / timed(lambda: list(clients.map(send, work)))


def _send(server: Server, requests: Sequence[Request]) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    for headers, body in requests:
        connection.request("POST", PATH, body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200 or msgspec.json.decode(answer)["accepted"] != BATCH:
            raise RuntimeError(f"{response.status}: {answer[:300]!r}")
    connection.close()


def _columns(wallets: Sequence[str]) -> dict[str, Any]:
    """The columns of a batch as psycopg sends them."""
    keys, now, some = [uuid4() for _ in range(BATCH)], datetime.now(UTC), sorted(random.sample(wallets, WALLETS))
    minute = now.replace(second=0, microsecond=0)
    return {
        "keys": keys, "moments": [now] * BATCH, "wallets": random.choices(some, k=BATCH),
        "quantities": [f"{random.randint(1, 1_000) / 100}" for _ in keys], "sources": ["bench"] * BATCH,
        "ids": [key.hex for key in keys], "some": some, "minutes": [minute, minute - timedelta(minutes=1)],
    }  # fmt: skip


def _insert(statement: str, batches: Sequence[dict[str, Any]]) -> None:
    with books.application(DATABASE) as connection:
        (meter, price) = connection.execute("SELECT meter_id, id FROM wallets_meterprice").fetchone() or ()
        for columns in batches:
            connection.execute(statement, columns | {"meter": meter, "price": price, "meters": [meter] * BATCH})


def _while_they_pour(reporter: Reporter, seconds: int) -> Iterator[Row]:
    requests = [reporter.request() for _ in range((seconds + 2) * POUR // BATCH)]
    # A process of its own: who asks shouldn't wait for what it does.
    ended = multiprocessing.Event()
    pouring = multiprocessing.Process(target=_pour, args=(reporter.server, requests, ended))
    pouring.start()
    taken: dict[str, list[float]] = {"current": [], "estimated": []}
    end = time.perf_counter() + seconds
    connection = http.client.HTTPConnection(reporter.server.host, reporter.server.port, timeout=60)
    while time.perf_counter() < end:
        for kind, times in taken.items():
            path = f"/api/v1/wallets/{random.choice(reporter.server.wallets)}/balance/{kind}"
            times.append(timed(partial(_get, connection, reporter, path)))
    ended.set()
    pouring.join()
    for kind, times in taken.items():
        what, detail = f"GET …/balance/{kind} while {POUR:,} events/s pour in", f"{len(times):,} asked by one client"
        yield from _tail(what, "in the server", reporter.server.took(f"/balance/{kind}"), (10, 30), detail)
        yield from _tail(what, "as its client sees it", times, (None, None), detail)


def _tail(
    what: str, where: str, times: Sequence[float], targets: tuple[float | None, float | None], detail: str
) -> Iterator[Row]:
    """How slow the slowest are."""
    hundredths = [part * 1_000 for part in statistics.quantiles(times, n=100)]
    yield Row(f"{what}, one in 20", where, hundredths[94], targets[0], at_most=True, unit="ms", detail=detail)
    yield Row("… one in 100", where, hundredths[98], targets[1], at_most=True, unit="ms")


def _pour(server: Server, requests: Sequence[Request], ended: Any) -> None:
    start = time.perf_counter()
    for number, request in enumerate(requests):
        if ended.wait(max(0.0, start + number * BATCH / POUR - time.perf_counter())):
            return
        _send(server, [request])


def _get(connection: http.client.HTTPConnection, reporter: Reporter, path: str) -> None:
    connection.request("GET", path, headers=reporter.server.headers)
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise RuntimeError(f"{response.status} for {path}")


def _many(many: int, rounds: int) -> Iterator[Row]:
    with _reader(FEW, "bench_few") as few, _reader(many, "bench_many") as lots:
        read = [(few(), lots()) for _ in range(rounds)]
    words = {"current": "current", "miss": "estimated, nothing kept", "hit": "estimated, kept in memory"}
    for name, what in words.items():
        theirs, ours = ([turn[side][name] for turn in read] for side in (0, 1))
        detail = against(ours, theirs, "µs; a tenth of all is that wallet's")
        yield Row(
            f"{what}, {many:,} events", f"the same, {FEW:,} events", ratio(ours, theirs), 1.2, at_most=True,
            unit="× the time", detail=detail,
        )  # fmt: skip


@contextmanager
def _reader(count: int, name: str) -> Iterator[Callable[[], dict[str, float]]]:
    """A worker with so many events in a database of its own, and what it tells whenever it is asked to read."""
    variables = _seeded(name)
    command = [sys.executable, "-m", "benchmarks.metering", "read", str(count)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=variables, cwd=ROOT, **pipes) as worker:

        def ask() -> dict[str, float]:
            print(file=worker.stdin, flush=True)
            told: dict[str, float] = json.loads(worker.stdout.readline())
            return told

        # The first reading comes when all is filled, and isn't counted.
        ask()
        yield ask
        worker.stdin.close()
    books.drop(name)


def _seeded(name: str) -> dict[str, str]:
    """The environment of workers, with a database of wallets and a meter."""
    variables = made(name=name)
    for module in (["benchmarks.http_seed"], ["benchmarks.metering", "seed"]):
        python(variables, "-m", *module)
    return variables


def _recalculation(count: int) -> Iterator[Row]:
    told = json.loads(python(_seeded(DATABASE), "-m", "benchmarks.metering", "recalculate", str(count)))
    books.drop(DATABASE)
    if told["differences"] or told["events"] != count:
        raise RuntimeError(f"The recalculation found {told}.")
    yield Row(f"full recalculation, {count:,} events", "seconds", told["seconds"], 60, at_most=True, unit="s")
    yield Row("… its peak of memory", "megabytes", told["peak"], 200, at_most=True, unit="MB")
