"""Asking for a transfer to be made later: all but the money is looked at, and the row committed before any answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from ledger import sql
from users import audit
from wallets import bell
from wallets.backlog import Backlog, QueueFull
from wallets.transfers import Order, Refusal, Route, columns

# A ring that comes later than this finds nothing that the sweep hasn't found: it shall not keep others from a worker.
RING_SECONDS = 1.0
backlog = Backlog("wallets_transfer", "next_at IS NOT NULL", "TRANSFER_QUEUE_LIMIT")


@dataclass(frozen=True, slots=True)
class Queued:
    """A transfer that was accepted, and waits for a worker."""

    order: Order
    destination: UUID
    currency: str
    now: datetime


Outcome = Queued | Refusal | QueueFull


def accept_each(found: Sequence[Route | Refusal], *, now: datetime) -> list[Outcome]:
    """Queue what different callers ask for, as `find_routes` found it, inside the caller's transaction; a worker is
    rung after its commit.

    Who may spend is decided here, and stays decided; the money and the wallets are looked at when it is made.
    """
    outcomes: list[Outcome] = []
    room = _room_for(found)
    accepted: list[Route] = []
    for route in found:
        if not isinstance(route, Route):
            outcomes.append(route)
        elif len(accepted) == room:
            outcomes.append(QueueFull("transfers"))
        else:
            accepted.append(route)
            outcomes.append(Queued(route.order, route.destination.id, route.source.currency, now))
    if accepted:
        _write(accepted, now)
    return outcomes


def _room_for(found: Sequence[Route | Refusal]) -> int:
    wanted = sum(isinstance(route, Route) for route in found)
    return backlog.take(wanted) if wanted else 0


# Due at the moment when it was accepted: so it stands behind those that were accepted before it.
QUEUE = """
INSERT INTO wallets_transfer (id, source_id, destination_id, amount, currency, status, reference, description, metadata,
                              created_by, created_at, next_at)
SELECT t.id, t.source_id, t.destination_id, t.amount, t.currency, 'queued', t.reference, t.description, t.metadata,
       t.created_by, n.now, n.now
FROM (SELECT %s::timestamptz AS now) AS n,
     unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::int8[], %s::text[], %s::text[], %s::text[], %s::jsonb[],
            %s::text[])
    AS t (id, source_id, destination_id, amount, currency, reference, description, metadata, created_by)
"""


def _write(accepted: Sequence[Route], now: datetime) -> None:
    sql.run(QUEUE, (now, *columns(accepted)))
    audit.record_many(
        audit.Event(
            actor=order.caller, action="transfer.queued", kind="transfer", object_id=order.id, now=now,
            data={"source": str(order.source), "amount": order.amount}, request_id=order.request_id,
        )
        for order in (route.order for route in accepted)
    )  # fmt: skip
    transaction.on_commit(ring)


def ring() -> None:
    """Let a worker know that something waits."""
    bell.ring_soon("wallets.drain_transfers", expires=RING_SECONDS)
