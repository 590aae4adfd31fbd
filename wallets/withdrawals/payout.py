"""Paying out: intent, call, result. What the bank is about to be asked is committed first; it is called with no
transaction open; its answer is written by whoever still has the claim.

An answer that isn't known is asked for, and never sent again blindly: the next worker finds the attempt and asks.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from ledger.decision import InsufficientFunds
from ledger.durable import durable
from ledger.reversal import NotReversible
from wallets import metrics
from wallets.bank_accounts import number_of
from wallets.models import BankAccount, PayoutAttempt, Withdrawal
from wallets.providers.port import (
    AccountNotResolved,
    PayoutOrder,
    PayoutState,
    ProviderUnavailable,
    SubmitOutcome,
    SubmitResult,
)
from wallets.withdrawals import breaker, cost, recipients, settle, steps
from wallets.withdrawals.claim import Claimed, claim, due
from wallets.withdrawals.decide import Act, Decision, after_word, on_answer, on_state, rejected
from wallets.withdrawals.steps import Because, Status

__all__ = ["advance", "due"]

logger = logging.getLogger(__name__)

# While a provider's circuit is open, it is asked no more often than this.
SPARSELY = 60.0


def advance(withdrawal_id: UUID, *, clock: Callable[[], datetime]) -> bool:
    """Take a withdrawal one step on, if nobody else has it and it is due. Returns whether this worker did."""
    claimed = claim(withdrawal_id, clock())
    if claimed is None:
        return False
    if claimed.send:
        result = _submit(claimed)
        metrics.payout_answered(claimed.bank.slug, result.outcome)
        refused = result.outcome == SubmitOutcome.REJECTED and not result.misconfigured
        _write_submitted(claimed, result, clock(), _ask(claimed, result.provider_id) if refused else None)
        breaker.record(claimed.bank.slug, claimed.withdrawal.currency, result, now=clock())
    else:
        state = _ask(claimed)
        _write_state(claimed, state, clock())
        breaker.record_state(claimed.bank.slug, claimed.withdrawal.currency, state, now=clock())
    return True


def _submit(claimed: Claimed) -> SubmitResult:
    """Send the order; who can't be found as a recipient is refused before anything is sent."""
    try:
        order = _order(claimed)
    except AccountNotResolved as error:
        return SubmitResult(SubmitOutcome.REJECTED, detail=str(error), code="account_not_resolved")
    except ProviderUnavailable as error:
        return SubmitResult(SubmitOutcome.NOT_SENT, detail=str(error))
    return claimed.bank.submit_payout(order)


def _order(claimed: Claimed) -> PayoutOrder:
    withdrawal = claimed.withdrawal
    account = BankAccount.objects.get(pk=withdrawal.bank_account_id)
    return PayoutOrder(
        reference=claimed.attempt.reference, amount=withdrawal.amount, currency=withdrawal.currency,
        bank_code=account.bank_code, account_number=number_of(account), account_name=account.account_name,
        narration=withdrawal.description or "Wallet withdrawal", recipient=recipients.ensure(claimed.bank, account),
    )  # fmt: skip


def _ask(claimed: Claimed, provider_id: str = "") -> PayoutState:
    return claimed.bank.query_payout(claimed.attempt.reference, provider_id or claimed.attempt.provider_id)


@durable
def _write_submitted(claimed: Claimed, result: SubmitResult, now: datetime, asked: PayoutState | None = None) -> None:
    """Write what an order's answer means; for a refused one also what the bank said when it was `asked` once more."""
    withdrawal = _still_ours(claimed)
    if withdrawal is None:
        return
    if result.outcome == SubmitOutcome.REJECTED:
        recipients.forget(withdrawal.bank_account_id)
    known = claimed.known()
    decision = _heeding_word(withdrawal, on_answer(known, result, now))
    if asked is None:
        _act(claimed, withdrawal, decision, now, result)
        return
    steps.note(withdrawal, Because(decision.words, attempt=claimed.attempt.number, raw=result.raw), now=now)
    confirmed = _heeding_word(withdrawal, on_state(rejected(known, result), asked, now))
    if confirmed.outcome is None:
        confirmed = decision
    _act(claimed, withdrawal, confirmed, now, replace(asked, provider_id=asked.provider_id or result.provider_id))


@durable
def _write_state(claimed: Claimed, state: PayoutState, now: datetime) -> None:
    """Write what the bank's word on an order means for the withdrawal."""
    withdrawal = _still_ours(claimed)
    if withdrawal is not None:
        decision = _heeding_word(withdrawal, on_state(claimed.known(), state, now))
        _act(claimed, withdrawal, decision, now, state)


def _still_ours(claimed: Claimed) -> Withdrawal | None:
    """Lock the withdrawal, where nobody claimed it since: the lease is a fencing token."""
    mine = claimed.withdrawal
    locked = Withdrawal.objects.select_for_update(no_key=True, of=("self",)).select_related("wallet", "hold")
    found = locked.filter(pk=mine.pk, lease=mine.lease, status=mine.status).first()
    if found is None:
        logger.warning("Withdrawal %s was claimed by another worker; its answer is left to that one.", mine.pk)
    return found


def _heeding_word(withdrawal: Withdrawal, decision: Decision) -> Decision:
    return after_word(decision) if withdrawal.heard else decision


def _act(
    claimed: Claimed, withdrawal: Withdrawal, decision: Decision, now: datetime, said: SubmitResult | PayoutState
) -> None:
    """Do what was decided: the attempt, the withdrawal, the money and the history, all in one transaction."""
    _learn(claimed.attempt, decision, now, said.provider_id)
    because = Because(decision.words, attempt=claimed.attempt.number, raw=said.raw)
    took = cost.told(withdrawal, said) if isinstance(said, PayoutState) else None
    match decision.act:
        case Act.COMPLETE:
            _complete(withdrawal, because, took, now)
        case Act.FAIL:
            settle.fail(withdrawal, because, code=decision.code, detail=decision.detail, now=now)
        case Act.REVIEW:
            settle.review(withdrawal, because, code=decision.code, now=now)
        case Act.RETURN:
            _give_back(withdrawal, because, decision, now)
        case _:
            _later(claimed, withdrawal, decision, because, now)
            if withdrawal.status == Status.COMPLETED:
                settle.book_cost(withdrawal, because, took=took, now=now)


def _complete(withdrawal: Withdrawal, because: Because, took: Decimal | None, now: datetime) -> None:
    try:
        with transaction.atomic():
            settle.complete(withdrawal, because, took=took, now=now)
    except InsufficientFunds:
        # It was given back once, and is spent: only a person can see to it.
        settle.review(withdrawal, because, code="contradiction", now=now)


def _give_back(withdrawal: Withdrawal, because: Because, decision: Decision, now: datetime) -> None:
    try:
        settle.give_back(withdrawal, because, code=decision.code, detail=decision.detail, now=now)
    except NotReversible:
        settle.review(withdrawal, because, code="returned_already", now=now)


def _learn(attempt: PayoutAttempt, decision: Decision, now: datetime, provider_id: str) -> None:
    """Keep with the attempt what this answer tells of it."""
    changes: dict[str, Any] = {}
    if decision.outcome is not None:
        changes |= {"outcome": decision.outcome, "detail": decision.detail[:255]}
        waits = decision.outcome == PayoutAttempt.Outcome.ACTION_REQUIRED
        changes["action_since"] = (attempt.action_since or now) if waits else None
    if provider_id:
        changes["provider_id"] = provider_id[:100]
    if decision.understood:
        changes |= {"answered_at": now, "misses": 0, "missed_at": None}
    elif decision.missed:
        changes |= {"misses": attempt.misses + 1, "missed_at": now}
    if changes:
        PayoutAttempt.objects.filter(pk=attempt.pk).update(**changes)


def _next_at(withdrawal: Withdrawal, decision: Decision, now: datetime) -> datetime | None:
    if decision.act == Act.REST:
        return now + timedelta(seconds=decision.pause) if decision.pause else None
    pause = max(decision.pause * random.uniform(0.8, 1.2), decision.at_least)
    if decision.act == Act.ASK and breaker.is_open(withdrawal.provider):
        pause = max(pause, SPARSELY)
    return now + timedelta(seconds=pause)


def _later(claimed: Claimed, withdrawal: Withdrawal, decision: Decision, because: Because, now: datetime) -> None:
    """Look again later, ever less often and not all at once; at once, where somebody said that there is news."""
    next_at = now if withdrawal.heard else _next_at(withdrawal, decision, now)
    checks = 0 if decision.restart else withdrawal.checks + 1
    if decision.act == Act.SEND and not claimed.attempt.doubtful:
        # Nothing of it can be at the bank: until the next sending it may be cancelled.
        steps.move(withdrawal, Status.PENDING, because, now=now, next_at=next_at, checks=checks)
        return
    changes = {"next_at": next_at, "checks": checks, "busy_until": None, "heard": False, "updated_at": now}
    Withdrawal.objects.filter(pk=withdrawal.pk).update(**changes)
    steps.note(withdrawal, because, now=now)
