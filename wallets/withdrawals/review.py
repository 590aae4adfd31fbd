"""What a person may do with a withdrawal that only a person can judge. Each is a deed with its reason and its trail."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from ledger.durable import durable
from users.callers import Actor
from wallets import bell
from wallets.models import PayoutAttempt, Withdrawal
from wallets.opening import InvalidState
from wallets.providing import provider, registry
from wallets.withdrawals import asking, settle, steps, timing
from wallets.withdrawals.decide import Outcome
from wallets.withdrawals.steps import Because, Status

REFUSED_AT_THE_DOOR = "refused_by_bank"


@durable
def settle_as_paid(withdrawal_id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """The bank's own records say that it paid: book it. What the bank itself has said of the attempt stays as it is.

    Raises InvalidState, and InsufficientFunds where the money was given back and spent meanwhile.
    """
    withdrawal = _in_review(withdrawal_id)
    settle.complete(withdrawal, Because(f"Settled as paid: {reason}", actor), now=now)


@durable
def settle_as_failed(withdrawal_id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """The bank's own records say that it didn't pay, or has the money back: give it back. Raises InvalidState."""
    withdrawal = _in_review(withdrawal_id)
    because = Because(f"Given back: {reason}", actor)
    if withdrawal.transaction_id is not None:
        settle.give_back(withdrawal, because, code="settled_by_staff", detail=reason, now=now)
        return
    latest = PayoutAttempt.objects.filter(withdrawal=withdrawal).order_by("-number")[:1]
    PayoutAttempt.objects.filter(pk__in=latest.values("pk")).update(outcome=Outcome.REFUSED, answered_at=now)
    settle.fail(withdrawal, because, code="settled_by_staff", detail=reason, now=now)


@durable
def ask_again(withdrawal_id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """Ask the bank now, and do what its answer says. Raises InvalidState."""
    asking.ask_now(steps.locked(withdrawal_id), Because(f"The bank is asked again: {reason}", actor), now=now)


@durable
def retry(withdrawal_id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """Try what the bank refused conclusively once more: a new attempt under a new reference, its money held again.

    Raises InvalidState and InsufficientFunds.
    """
    withdrawal = steps.locked(withdrawal_id)
    if withdrawal.status != Status.FAILED:
        raise InvalidState(f"The withdrawal is {steps.words(withdrawal.status)}; only what failed can be retried.")
    if PayoutAttempt.objects.filter(withdrawal=withdrawal).exclude(outcome=Outcome.REFUSED).exists():
        raise InvalidState("It isn't known of every attempt that the bank refused it; ask the bank first.")
    _check_was_looked_for(withdrawal, now)
    hold = settle.hold_again(withdrawal, now=now)
    steps.move(
        withdrawal, Status.PENDING, Because(f"To be tried again: {reason}", actor), now=now,
        action="withdrawal.retried", next_at=now, checks=0, hold_id=hold, failure_code="", failure_detail="",
    )  # fmt: skip
    transaction.on_commit(lambda: bell.ring("wallets.advance_withdrawal", str(withdrawal_id)))


def _check_was_looked_for(withdrawal: Withdrawal, now: datetime) -> None:
    """What a bank refused without ever showing it may be there all the same: a second order waits for the grace.

    Raises InvalidState.
    """
    if withdrawal.failure_code != REFUSED_AT_THE_DOOR or withdrawal.provider not in registry():
        return
    attempt = PayoutAttempt.objects.filter(withdrawal=withdrawal).latest("number")
    grace = min(provider(withdrawal.provider).grace, timing.PATIENCE.total_seconds())
    until = (attempt.sent_at or attempt.started_at) + timedelta(seconds=grace)
    if now < until:
        raise InvalidState(f"The bank might have it all the same; ask it, and try again from {until:%H:%M} UTC on.")


def _in_review(withdrawal_id: UUID) -> Withdrawal:
    withdrawal = steps.locked(withdrawal_id)
    if withdrawal.status != Status.IN_REVIEW:
        raise InvalidState(f"The withdrawal is {steps.words(withdrawal.status)}, not in review.")
    return withdrawal
