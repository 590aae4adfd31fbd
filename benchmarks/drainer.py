"""A worker of the benchmark: `accept N` queues transfers between the wallets named on stdin, `drain` makes them all.

Both tell how many.
"""

import random
import sys
from datetime import UTC, datetime
from uuid import UUID

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from users.callers import Caller  # noqa: E402
from users.models import User  # noqa: E402
from wallets.queued.accept import accept_each  # noqa: E402
from wallets.queued.drain import drain  # noqa: E402
from wallets.transfers import Order, find_routes  # noqa: E402

TOGETHER = 1_000


def now() -> datetime:
    return datetime.now(UTC)


def tell(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def accept(count: int) -> int:
    """Queue so many transfers."""
    wallets = [UUID(id) for id in sys.stdin.read().split()]
    caller = Caller("person", User.objects.get(email="bench@example.com").pk)
    for _ in range(count // TOGETHER):
        pairs = (random.sample(wallets, 2) for _ in range(TOGETHER))
        orders = [Order(caller=caller, source=a, destination=b, amount=random.randint(1, 100)) for a, b in pairs]
        with transaction.atomic(durable=True):
            accept_each(find_routes(orders), now=now())
    return count


def make() -> int:
    """Wait for the word, as a worker that is up waits for a bell, then make what waits."""
    connection.ensure_connection()
    tell("ready")
    sys.stdin.readline()
    return drain(clock=now, seconds=600).completed


tell(accept(int(sys.argv[2])) if sys.argv[1] == "accept" else make())
