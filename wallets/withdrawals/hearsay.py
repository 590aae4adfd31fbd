"""Hearsay: a webhook, or whoever else, says that something happened to a payout. Only the bank is believed."""

from contextlib import suppress
from datetime import datetime

from django.db import transaction

from wallets.models import PayoutAttempt
from wallets.opening import InvalidState
from wallets.withdrawals import asking, steps
from wallets.withdrawals.steps import Because


def heard(provider: str, reference: str, *, now: datetime) -> bool:
    """Let the provider be asked about the payout of a reference, whatever its state: also one that completed may have
    come back. Returns whether we have such a payout.
    """
    attempt = PayoutAttempt.objects.filter(provider=provider, reference=reference).first()
    if attempt is None:
        return False
    because = Because("Word came that the bank has news; it is asked.", attempt=attempt.number)
    with transaction.atomic(), suppress(InvalidState):
        asking.ask_now(steps.locked(attempt.withdrawal_id), because, now=now)
    return True
