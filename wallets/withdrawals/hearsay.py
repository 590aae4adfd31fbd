"""Hearsay: a webhook, or whoever else, says that something happened to a payout. Only the bank is believed."""

import logging
from contextlib import suppress
from datetime import datetime

from django.db import transaction

from wallets.models import PayoutAttempt, Withdrawal
from wallets.opening import InvalidState
from wallets.withdrawals import asking, steps
from wallets.withdrawals.decide import Outcome
from wallets.withdrawals.steps import Because, Status

logger = logging.getLogger(__name__)

TRIED_AGAIN = (
    "Word came of an attempt that the bank had refused, and that is tried again under another reference: look in the"
    " bank's records whether it paid both."
)


def heard(provider: str, reference: str, *, now: datetime) -> bool:
    """Let the provider be asked about the payout of a reference, whatever its state: also one that completed may have
    come back. Returns whether we have such a payout.
    """
    attempt = PayoutAttempt.objects.filter(provider=provider, reference=reference).first()
    if attempt is None:
        return False
    because = Because("Word came that the bank has news; it is asked.", attempt=attempt.number)
    with transaction.atomic(), suppress(InvalidState):
        withdrawal = steps.locked(attempt.withdrawal_id)
        if _is_tried_again(withdrawal, attempt):
            logger.error("%s: %s", reference, TRIED_AGAIN)
            steps.note(withdrawal, Because(TRIED_AGAIN, attempt=attempt.number), now=now)
        else:
            asking.ask_now(withdrawal, because, now=now)
    return True


def _is_tried_again(withdrawal: Withdrawal, attempt: PayoutAttempt) -> bool:
    """Whether the bank isn't asked about an attempt any more, since another one is to be paid in its place."""
    newer = PayoutAttempt.objects.filter(withdrawal=withdrawal, number__gt=attempt.number)
    return newer.exists() or (withdrawal.status == Status.PENDING and attempt.outcome == Outcome.REFUSED)
