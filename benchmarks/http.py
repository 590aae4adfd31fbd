"""Over HTTP: the product's own server and database, clients on the same machine, authenticated by JWT."""

import http.client
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from tempfile import NamedTemporaryFile
from uuid import uuid4

import msgspec
from rich.console import Console

from benchmarks.measure import Row, compare, timed
from benchmarks.server import Server, forget_peak, megabytes, running

CLIENTS = 2
CONNECTIONS = 16
BATCHES = {1_000: 6, 10_000: 2}
# Every request its own key and its own pair of wallets.
SCRIPT = """
math.randomseed(os.time() + {seed})
local wallets = {{ {wallets} }}
local run, count = string.format("%d-%d", os.time(), math.random(1000000000)), 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  count = count + 1
  wrk.headers["Idempotency-Key"] = run .. "-" .. count
  local first = math.random(#wallets)
  local second = (first + math.random(#wallets - 1) - 1) % #wallets + 1
  return wrk.format(nil, nil, nil, string.format('{{"source":"%s","destination":"%s","amount":%d}}',
    wallets[first], wallets[second], math.random(100)))
end
done = function(summary)
  if summary.errors.status > 0 then error("some answers were refusals") end
end
"""


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
    wallets = ", ".join(f'"{wallet}"' for wallet in server.wallets)
    balance = f"/api/v1/wallets/{server.wallets[0]}/balance"

    def empty() -> float:
        return wrk(server, "/empty", seconds)

    def transfers() -> float:
        return wrk(server, "/api/v1/transfers", seconds, SCRIPT.format(wallets=wallets, seed=random.randrange(10**6)))

    def balances() -> float:
        return wrk(server, balance, seconds)

    acts: dict[str, tuple[Callable[[], float], float]] = {
        f"POST /transfers, {CONNECTIONS} connections": (transfers, 0.2),
        f"GET …/balance, {CONNECTIONS} connections": (balances, 0.6),
    }
    for what, (act, target) in acts.items():
        act(), empty()
        yield compare(what, "an empty authenticated view", act, empty, rounds=rounds, target=target, of="requests")


def wrk(server: Server, path: str, seconds: int, script: str = "") -> float:
    """Requests a second."""
    with NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", file.name, server.address + path]
        command += ["-H", f"Authorization: Bearer {server.token}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "Non-2xx" in done.stdout or "error" in done.stderr:
        raise RuntimeError(done.stdout + done.stderr)
    return float(done.stdout.partition("Requests/sec:")[2].split()[0])
