"""Asking the bank now, out of turn: somebody says that it has news, or a person wants to know."""

from datetime import datetime

from django.db import transaction

from wallets import bell
from wallets.models import PayoutAttempt, Withdrawal
from wallets.opening import InvalidState
from wallets.withdrawals import steps
from wallets.withdrawals.decide import Outcome
from wallets.withdrawals.steps import Because, Status


def ask_now(withdrawal: Withdrawal, because: Because, *, now: datetime) -> None:
    """Let the bank be asked about a withdrawal, inside the caller's transaction, which has its row locked.

    A worker that has it already isn't disturbed: it is asked again right after. Raises InvalidState.
    """
    attempt = PayoutAttempt.objects.filter(withdrawal=withdrawal).order_by("-number").first()
    if withdrawal.status in (Status.AWAITING_APPROVAL, Status.RETURNED) or attempt is None:
        raise InvalidState(f"The withdrawal is {steps.words(withdrawal.status)}: there is nothing to ask the bank.")
    if withdrawal.status == Status.PENDING and attempt.outcome == Outcome.REFUSED:
        raise InvalidState("What was sent was refused, and a new attempt hasn't been sent yet.")
    if attempt.outcome == Outcome.NOT_SENT:
        # Whoever speaks of it may know better: from now on it is asked about, and not just sent.
        PayoutAttempt.objects.filter(pk=attempt.pk).update(outcome=Outcome.UNKNOWN, doubtful=True)
    if withdrawal.status == Status.IN_REVIEW:
        paid = withdrawal.transaction_id is not None
        _begin_asking(withdrawal, Status.COMPLETED if paid else Status.PROCESSING, because, now)
    elif withdrawal.status == Status.PENDING:
        _begin_asking(withdrawal, Status.PROCESSING, because, now)
    else:
        busy = withdrawal.busy_until is not None and withdrawal.busy_until > now
        next_at = withdrawal.busy_until if busy else now
        Withdrawal.objects.filter(pk=withdrawal.pk).update(next_at=next_at, heard=busy)
        steps.note(withdrawal, because, now=now)
    transaction.on_commit(lambda: bell.ring("wallets.advance_withdrawal", str(withdrawal.pk)))


def _begin_asking(withdrawal: Withdrawal, to: Status, because: Because, now: datetime) -> None:
    steps.move(
        withdrawal, to, because, now=now, action="withdrawal.asked_again", next_at=now, checks=0, failure_code="",
        failure_detail="",
    )  # fmt: skip
