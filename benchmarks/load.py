"""Many requests at a time, by wrk: how many a second, and how slow the slowest of them."""

import random
import subprocess
from dataclasses import dataclass
from tempfile import NamedTemporaryFile

from benchmarks.server import Server

CONNECTIONS = 16
# Every request its own key; `body` is what a request sends, to `path`.
POSTS = """
math.randomseed(os.time() + {seed})
local wallets = {{ {wallets} }}
local run, count = string.format("%d-%d", os.time(), math.random(1000000000)), 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
{headers}
local function other(first) return (first + math.random(#wallets - 1) - 1) % #wallets + 1 end
request = function()
  count = count + 1
  wrk.headers["Idempotency-Key"] = run .. "-" .. count
  local first = math.random(#wallets)
  return wrk.format(nil, {path}, nil, {body})
end
"""
STRICT = """
done = function(summary)
  if summary.errors.status > 0 then error("some answers were refusals") end
end
"""
TRANSFER = """string.format('{"source":"%s","destination":"%s","amount":%d}',
    wallets[first], wallets[other(first)], math.random(100))"""


@dataclass(frozen=True)
class Load:
    """What came of it: requests a second, and what one in a hundred took at least."""

    rate: float
    p99_ms: float


def posts(server: Server, seconds: int, *, path: str, body: str, headers: str = "") -> float:
    """Requests a second of POSTs to a path, from wallets chosen at random; path and body in Lua."""
    wallets = ", ".join(f'"{wallet}"' for wallet in server.wallets)
    seed = random.randrange(10**6)
    script = POSTS.format(seed=seed, wallets=wallets, headers=headers, path=path, body=body)
    return wrk(server, "/", seconds, script).rate


def transfers(server: Server, seconds: int, headers: str = "") -> float:
    """Requests a second of transfers, each between another pair of wallets."""
    return posts(server, seconds, path='"/api/v1/transfers"', body=TRANSFER, headers=headers)


def wrk(server: Server, path: str, seconds: int, script: str = "", connections: int = CONNECTIONS) -> Load:
    """Ask for so many seconds. Raises RuntimeError where an answer is a refusal."""
    with NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script + STRICT)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", file.name]
        command += ["-H", f"Authorization: Bearer {server.token}", server.address + path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "Non-2xx" in done.stdout or "error" in done.stderr:
        raise RuntimeError(done.stdout + done.stderr)
    told = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines() if len(line.split()) == 2}
    return Load(float(told["Requests/sec:"]), _milliseconds(told["99%"]))


def _milliseconds(text: str) -> float:
    units = {"us": 0.001, "ms": 1.0, "s": 1_000.0}
    unit = next(unit for unit in units if text.endswith(unit))
    return float(text.removesuffix(unit)) * units[unit]
