"""Following top-ups without any webhook: each is asked about, ever less often, and once more after it expired.

So is one that was refused: whoever was may yet pay at the same checkout.
"""

import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ledger import sql
from ledger.durable import durable
from wallets.models import TopUp
from wallets.providers.port import PaymentProvider
from wallets.providing import provider, registry
from wallets.topups import credit
from wallets.topups.payments import Inconclusive

logger = logging.getLogger(__name__)

# How long a worker has for the provider's answer before another one may ask.
LEASE = timedelta(seconds=60)
# Seconds from one question to the next; the last one again and again until it expires.
PAUSES = (15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600)
# Whoever paid at the last moment may show up late: so long after it expired we ask once more.
AFTERWARDS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A top-up that this worker has."""

    id: UUID
    lease: int
    bank: PaymentProvider
    reference: str
    provider_id: str


def due(*, now: datetime, limit: int = 200) -> list[UUID]:
    """The top-ups that a worker shall ask about now, longest waiting first."""
    statement = "SELECT id FROM wallets_topup WHERE next_at <= %s ORDER BY next_at LIMIT %s"
    return [row[0] for row in sql.rows(statement, (now, limit))]


def advance(top_up_id: UUID, *, clock: Callable[[], datetime]) -> bool:
    """Ask about a top-up, if nobody else has it and it is due. Returns whether this worker did."""
    claimed = _claim(top_up_id, clock())
    if claimed is None:
        return False
    state = claimed.bank.query_deposit(claimed.reference, claimed.provider_id)
    with suppress(Inconclusive):
        credit.take(claimed.bank.slug, claimed.reference, state, now=clock())
    _look_again(claimed, clock())
    return True


CLAIM = """
UPDATE wallets_topup SET lease = lease + 1, next_at = %s
WHERE id = %s AND next_at <= %s AND status IN ('pending', 'failed', 'expired')
RETURNING id, lease, reference, provider_id, provider
"""


@durable
def _claim(top_up_id: UUID, now: datetime) -> Claimed | None:
    row = sql.run(CLAIM, (now + LEASE, top_up_id, now)).fetchone()
    if row is None:
        return None
    id, lease, reference, provider_id, slug = row
    if slug not in registry():
        logger.error("Top-up %s waits for the provider %s, which isn't enabled.", id, slug)
        return None
    return Claimed(id, lease, provider(slug), reference, provider_id)


@durable
def _look_again(claimed: Claimed, now: datetime) -> None:
    """Where it isn't settled, ask later, or stop waiting."""
    top_up = TopUp.objects.select_for_update(no_key=True).filter(pk=claimed.id, lease=claimed.lease).first()
    if top_up is None or top_up.next_at is None:
        return
    if now >= top_up.expires_at and top_up.status == TopUp.Status.PENDING:
        credit.expire(top_up, now=now)
    next_at: datetime | None
    if now < top_up.expires_at:
        next_at = min(now + _pause(top_up.checks), top_up.expires_at)
    else:
        last = top_up.expires_at + AFTERWARDS
        next_at = last if now < last else None
    TopUp.objects.filter(pk=claimed.id).update(next_at=next_at, checks=top_up.checks + 1)


def _pause(checks: int) -> timedelta:
    seconds = PAUSES[min(checks, len(PAUSES) - 1)]
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))
