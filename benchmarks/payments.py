"""Money out and news from providers, over HTTP: withdrawals beside plain transfers, webhooks by themselves."""

import json
import time
from collections.abc import Iterator
from uuid import uuid4

from django.conf import settings

from benchmarks.load import CONNECTIONS, Load, posts, transfers, wrk
from benchmarks.measure import Row, compare
from benchmarks.server import Server
from wallets.providers.sandbox import webhooks

# Each delivery once, as a provider sends it.
DELIVERIES = """
local deliveries = {{ {deliveries} }}
local count = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["x-sandbox-timestamp"] = "{timestamp}"
request = function()
  count = count % #deliveries + 1
  wrk.headers["x-sandbox-signature"] = deliveries[count][2]
  return wrk.format(nil, nil, nil, deliveries[count][1])
end
"""
# More than a second's requests can use up.
DELIVERIES_A_SECOND = 3_000
SLOWEST_MS = 50
# They deliver from few addresses, and one after the other.
PROVIDERS_CONNECTIONS = 8


def rows(server: Server, *, rounds: int, seconds: int) -> Iterator[Row]:
    """The rows of payments, on a server that runs."""
    body = f"""string.format('{{"bank_account":"{server.bank_account}","amount":%d}}', math.random(100))"""

    def withdrawals() -> float:
        path = 'string.format("/api/v1/wallets/%s/withdrawals", wallets[first])'
        return posts(server, seconds, path=path, body=body)

    def plain() -> float:
        return transfers(server, seconds)

    withdrawals(), plain()
    what = f"POST …/withdrawals, {CONNECTIONS} connections"
    yield compare(what, "plain transfers", withdrawals, plain, rounds=rounds, target=0.5, of="requests")
    yield from _intake(server, rounds, seconds)


def _intake(server: Server, rounds: int, seconds: int) -> Iterator[Row]:
    taken = sorted((_deliver(server, seconds) for _ in range(rounds)), key=lambda load: load.rate)
    middle = taken[len(taken) // 2]
    yield Row(f"POST /webhooks, {PROVIDERS_CONNECTIONS} connections", "seconds", middle.rate, unit="webhooks/s")
    yield Row("… the slowest in a hundred", "seconds", middle.p99_ms, SLOWEST_MS, at_most=True, unit="ms")


def _deliver(server: Server, seconds: int) -> Load:
    now = int(time.time())
    _, options = settings.PROVIDERS["sandbox"]
    secret = options["webhook_secrets"][0]
    bodies = [_event() for _ in range(DELIVERIES_A_SECOND * seconds)]
    deliveries = ",".join(f'{{ [[{body.decode()}]], "{webhooks.signature(secret, now, body)}" }}' for body in bodies)
    script = DELIVERIES.format(deliveries=deliveries, timestamp=now)
    return wrk(server, "/api/v1/webhooks/sandbox", seconds, script, PROVIDERS_CONNECTIONS)


def _event() -> bytes:
    number = uuid4().hex
    data = {"reference": f"dep-{number}", "id": number, "status": "paid", "amount": 5_000, "currency": "NGN"}
    return json.dumps({"id": f"deposit.paid:{number}", "event": "deposit.paid", "data": data}).encode()
