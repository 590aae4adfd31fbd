"""What workers do. Each task is an interface: it says now, calls the domain, and is safe to run twice or never."""

import logging
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from ledger import holds
from wallets import idempotency
from wallets.queued import drain
from wallets.withdrawals import payout

logger = logging.getLogger(__name__)


@shared_task(name="wallets.advance_withdrawal")
def advance_withdrawal(withdrawal_id: str) -> None:
    """Take one withdrawal a step on, as soon as it was asked for."""
    payout.advance(UUID(withdrawal_id), clock=timezone.now)


@shared_task(name="wallets.sweep_withdrawals")
def sweep_withdrawals() -> None:
    """Take every withdrawal that is due a step on: what a lost message, a dead worker or a silent bank left."""
    for withdrawal_id in payout.due(now=timezone.now()):
        try:
            payout.advance(withdrawal_id, clock=timezone.now)
        except Exception:
            # One that fails must not keep the others from their turn; its lease brings it back.
            logger.exception("Withdrawal %s couldn't be taken a step on.", withdrawal_id)


@shared_task(name="wallets.drain_transfers")
def drain_transfers() -> None:
    """Make queued transfers for a second; then others have their turn, and it is rung for again where more wait."""
    drain.drain(clock=timezone.now, seconds=1.0)


@shared_task(name="wallets.sweep_holds")
def sweep_holds() -> None:
    """Close holds that have expired. Tidiness: nothing waits for it."""
    holds.sweep(now=timezone.now())


@shared_task(name="wallets.forget_bodies")
def forget_bodies() -> None:
    """Let go of stored answers that were kept for long enough."""
    idempotency.forget_bodies(now=timezone.now())
