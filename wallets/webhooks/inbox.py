"""Working through what providers told us: each event makes us ask, and what the provider answers then is acted upon.

The row is the queue. One that stays without a conclusive answer is asked about ever less often, then left to a person.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from ledger import sql
from ledger.durable import durable
from wallets.models import WebhookEvent
from wallets.providers.port import RemoteStatus
from wallets.providing import provider, registry
from wallets.topups import credit
from wallets.topups.payments import Inconclusive
from wallets.withdrawals import hearsay

logger = logging.getLogger(__name__)

# How long a worker has for the provider's answer before another one may look at the event.
LEASE = timedelta(seconds=60)
# After so many tries in about two hours a person must look.
MOST_TRIES = 12
LONGEST_PAUSE = 1_800.0

State = WebhookEvent.State


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event that this worker has; `lease` counts the tries."""

    id: UUID
    lease: int
    provider: str
    kind: str
    reference: str
    provider_id: str


def due(*, now: datetime, limit: int = 200) -> list[UUID]:
    """The events that a worker shall look at now, longest waiting first."""
    statement = "SELECT id FROM wallets_webhookevent WHERE next_at <= %s ORDER BY next_at LIMIT %s"
    return [row[0] for row in sql.rows(statement, (now, limit))]


def handle(event_id: UUID, *, clock: Callable[[], datetime]) -> bool:
    """Act on an event, if nobody else has it and it is due. Returns whether this worker did."""
    claimed = _claim(event_id, clock())
    if claimed is None:
        return False
    try:
        outcome = _act(claimed, clock)
    except Inconclusive as doubt:
        _postpone(claimed, str(doubt), clock())
    except Exception as error:
        logger.exception("Webhook %s couldn't be handled.", claimed.id)
        _postpone(claimed, f"{type(error).__name__}: {error}", clock())
    else:
        _finish(claimed, State.DONE, outcome, clock())
    return True


CLAIM = """
UPDATE wallets_webhookevent SET lease = lease + 1, next_at = %s
WHERE id = %s AND next_at <= %s AND state = 'waiting'
RETURNING id, lease, provider, kind, reference, provider_id
"""


@durable
def _claim(event_id: UUID, now: datetime) -> Claimed | None:
    row = sql.run(CLAIM, (now + LEASE, event_id, now)).fetchone()
    return Claimed(*row) if row else None


def _act(claimed: Claimed, clock: Callable[[], datetime]) -> str:
    if claimed.provider not in registry():
        raise Inconclusive(f"The provider {claimed.provider} isn't enabled.")
    if claimed.kind == "payout":
        return _heard(claimed.provider, claimed.reference, clock())
    state = provider(claimed.provider).query_deposit(claimed.reference, claimed.provider_id)
    outcome = credit.take(claimed.provider, claimed.reference, state, now=clock())
    return _another(claimed, clock) or outcome


def _another(claimed: Claimed, clock: Callable[[], datetime]) -> str:
    """Where an event names another payment than the one that completed its top-up, ask for that one by its own name.

    Only a provider that ties it to our reference of its own accord has two; else it is one payment with two names.
    """
    if not credit.is_another(claimed.provider, claimed.reference, claimed.provider_id):
        return ""
    state = provider(claimed.provider).query_deposit("", claimed.provider_id)
    if (state.status, state.reference) != (RemoteStatus.SUCCEEDED, claimed.reference):
        return ""
    return credit.take(claimed.provider, "", state, now=clock())


@durable
def _heard(slug: str, reference: str, now: datetime) -> str:
    known = bool(reference) and hearsay.heard(slug, reference, now=now)
    return "The withdrawal is looked at." if known else "No withdrawal of ours has this reference."


def _postpone(claimed: Claimed, why: str, now: datetime) -> None:
    """Try again later, or leave it to a person."""
    if claimed.lease >= MOST_TRIES:
        logger.error("Webhook %s is given up after %s tries: %s", claimed.id, claimed.lease, why)
        _finish(claimed, State.DEAD, why, now)
        return
    pause = timedelta(seconds=min(2.0 ** (claimed.lease + 1), LONGEST_PAUSE) * random.uniform(0.8, 1.2))
    _write(claimed, "next_at = %s, outcome = %s", (now + pause, why[:255]))


def _finish(claimed: Claimed, state: State, outcome: str, now: datetime) -> None:
    changes = "next_at = NULL, state = %s, outcome = %s, handled_at = %s"
    _write(claimed, changes, (state.value, outcome[:255], now))


def _write(claimed: Claimed, changes: str, values: tuple[object, ...]) -> None:
    """Write what became of it, unless another worker has claimed it since."""
    statement = f"UPDATE wallets_webhookevent SET {changes} WHERE id = %s AND lease = %s AND state = 'waiting'"
    if not sql.run(statement, (*values, claimed.id, claimed.lease)).rowcount:
        logger.warning("Webhook %s was claimed by another worker; it is left to that one.", claimed.id)


FORGET = """
UPDATE wallets_webhookevent SET body = NULL WHERE id IN (
    SELECT id FROM wallets_webhookevent WHERE handled_at < %s AND body IS NOT NULL AND state <> 'waiting'
    ORDER BY handled_at LIMIT %s)
"""


def forget_bodies(*, now: datetime, limit: int = 10_000) -> int:
    """Let go of the bodies of what was handled long enough ago: they have people's names and account numbers. Digest
    and outcome stay. Returns how many.
    """
    return sql.run(FORGET, (now - timedelta(days=settings.WEBHOOK_BODY_DAYS), limit)).rowcount
