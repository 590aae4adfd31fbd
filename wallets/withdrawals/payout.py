"""Paying out: intent, call, result. What the bank is about to be asked is committed first; it is called with no
transaction open; its answer is written by whoever still has the claim.

An answer that isn't known is asked for, and never sent again blindly: the next worker finds the attempt and asks.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ledger import sql
from ledger.durable import durable
from wallets import metrics
from wallets.bank_accounts import number_of
from wallets.models import BankAccount, PayoutAttempt
from wallets.providers.port import (
    Capability,
    PaymentProvider,
    PayoutOrder,
    PayoutState,
    RemoteStatus,
    SubmitOutcome,
    SubmitResult,
)
from wallets.providing import provider, registry
from wallets.withdrawals import settle

logger = logging.getLogger(__name__)

# How long a worker has for the bank's answer before another one may look after the withdrawal.
LEASE = timedelta(seconds=20)
# After so long without a conclusive word a person must look.
PATIENCE = timedelta(hours=1)
LONGEST_PAUSE = 300.0

Outcome = PayoutAttempt.Outcome


@dataclass(frozen=True, slots=True)
class Claimed:
    """A withdrawal that this worker has, and the attempt that is to be sent (or asked about, where it was sent)."""

    id: UUID
    lease: int
    checks: int
    amount: int
    currency: str
    description: str
    bank_account_id: UUID
    bank: PaymentProvider
    attempt: PayoutAttempt
    send: bool


def due(*, now: datetime, limit: int = 200) -> list[UUID]:
    """The withdrawals that a worker shall look at now, longest waiting first."""
    statement = "SELECT id FROM wallets_withdrawal WHERE next_at <= %s ORDER BY next_at LIMIT %s"
    return [row[0] for row in sql.rows(statement, (now, limit))]


def advance(withdrawal_id: UUID, *, clock: Callable[[], datetime]) -> bool:
    """Take a withdrawal one step on, if nobody else has it and it is due. Returns whether this worker did."""
    claimed = _claim(withdrawal_id, clock())
    if claimed is None:
        return False
    if claimed.send:
        _write_submitted(claimed, claimed.bank.submit_payout(_order(claimed)), clock())
    else:
        state = claimed.bank.query_payout(claimed.attempt.reference, claimed.attempt.provider_id)
        _write_state(claimed, state, clock())
    return True


CLAIM = """
UPDATE wallets_withdrawal SET status = 'processing', lease = lease + 1, next_at = %s, updated_at = %s
WHERE id = %s AND next_at <= %s AND status IN ('pending', 'processing')
RETURNING id, lease, checks, amount, currency, description, bank_account_id, provider
"""


@durable
def _claim(withdrawal_id: UUID, now: datetime) -> Claimed | None:
    """Claim it by a conditional UPDATE, and commit the attempt that is about to be sent."""
    row = sql.run(CLAIM, (now + LEASE, now, withdrawal_id, now)).fetchone()
    if row is None:
        return None
    *fields, slug = row
    if slug not in registry():
        logger.error("Withdrawal %s waits for the provider %s, which isn't enabled.", withdrawal_id, slug)
        return None
    bank = provider(slug)
    attempt, fresh = _open_attempt(withdrawal_id, bank, now)
    send = fresh or attempt.outcome == Outcome.NOT_SENT
    if attempt.outcome == Outcome.NOT_SENT:
        metrics.payout_retried(slug)
        PayoutAttempt.objects.filter(pk=attempt.pk).update(outcome=Outcome.UNKNOWN)
    id, lease, checks, amount, currency, description, account_id = fields
    return Claimed(id, lease, checks, amount, currency, description, account_id, bank, attempt, send)


def _open_attempt(withdrawal_id: UUID, bank: PaymentProvider, now: datetime) -> tuple[PayoutAttempt, bool]:
    """The withdrawal's attempt, and whether it was made just now."""
    found = PayoutAttempt.objects.filter(withdrawal_id=withdrawal_id).exclude(outcome=Outcome.REFUSED).first()
    if found is not None:
        return found, False
    number = PayoutAttempt.objects.filter(withdrawal_id=withdrawal_id).count() + 1
    return PayoutAttempt.objects.create(
        withdrawal_id=withdrawal_id,
        number=number,
        provider=bank.slug,
        reference=bank.payout_reference(withdrawal_id, number),
        started_at=now,
    ), True


def _order(claimed: Claimed) -> PayoutOrder:
    account = BankAccount.objects.get(pk=claimed.bank_account_id)
    return PayoutOrder(
        reference=claimed.attempt.reference, amount=claimed.amount, currency=claimed.currency,
        bank_code=account.bank_code, account_number=number_of(account), account_name=account.account_name,
        narration=claimed.description or "Wallet withdrawal",
    )  # fmt: skip


@durable
def _write_submitted(claimed: Claimed, result: SubmitResult, now: datetime) -> None:
    """What an order's answer means for the withdrawal."""
    metrics.payout_answered(claimed.bank.slug, result.outcome)
    if not _still_ours(claimed):
        return
    match result.outcome:
        case SubmitOutcome.REJECTED:
            _answer(claimed, Outcome.REFUSED, now, detail=result.detail)
            settle.fail(claimed.id, code="refused_by_bank", detail=result.detail, now=now)
        case SubmitOutcome.NOT_SENT if now - claimed.attempt.started_at > PATIENCE:
            settle.review(claimed.id, f"It couldn't be sent: {result.detail}.", now=now)
        case SubmitOutcome.NOT_SENT:
            _answer(claimed, Outcome.NOT_SENT, now, detail=result.detail)
            _wait(claimed, now)
        case SubmitOutcome.ACCEPTED:
            _answer(claimed, Outcome.ACCEPTED, now, provider_id=result.provider_id)
            _wait(claimed, now)
        case _:
            # A reference that the bank has seen proves that the first sending arrived: it is asked for, like silence.
            _answer(claimed, Outcome.UNKNOWN, now, detail=result.detail)
            _wait(claimed, now)


@durable
def _write_state(claimed: Claimed, state: PayoutState, now: datetime) -> None:
    """What the bank's word on an order means for the withdrawal."""
    if not _still_ours(claimed):
        return
    match state.status:
        case RemoteStatus.SUCCEEDED if (state.amount, state.currency) != (claimed.amount, claimed.currency):
            settle.review(claimed.id, f"The bank says it paid {state.amount} {state.currency}.", now=now)
        case RemoteStatus.SUCCEEDED:
            _answer(claimed, Outcome.PAID, now, provider_id=state.provider_id)
            settle.complete(claimed.id, now=now)
        case RemoteStatus.FAILED:
            _answer(claimed, Outcome.REFUSED, now, detail=state.detail)
            settle.fail(claimed.id, code="returned_by_bank", detail=state.detail, now=now)
        case RemoteStatus.NOT_FOUND if now - claimed.attempt.started_at > PATIENCE:
            settle.review(claimed.id, "The bank doesn't know it, however often it is sent.", now=now)
        case RemoteStatus.NOT_FOUND if _never_arrived(claimed, now):
            _answer(claimed, Outcome.NOT_SENT, now, detail="The bank doesn't know it; sent again as it was.")
            _look_again(claimed, now, timedelta(0))
        case RemoteStatus.PENDING:
            _wait(claimed, now)
        case _ if now - claimed.attempt.started_at > PATIENCE:
            settle.review(claimed.id, f"The bank has said nothing conclusive: {state.detail or state.status}.", now=now)
        case _:
            _wait(claimed, now)


def _never_arrived(claimed: Claimed, now: datetime) -> bool:
    """Whether "not found" may be believed: after a while, and where a second sending of it would be refused."""
    waited = (now - claimed.attempt.started_at).total_seconds()
    unique = Capability.UNIQUE_REFERENCE in claimed.bank.capabilities
    return unique and waited >= claimed.bank.grace and claimed.checks >= 1


def _still_ours(claimed: Claimed) -> bool:
    """Lock the withdrawal, and tell whether nobody claimed it since: the lease is a fencing token."""
    statement = (
        "SELECT FROM wallets_withdrawal WHERE id = %s AND lease = %s AND status = 'processing' FOR NO KEY UPDATE"
    )
    ours = bool(sql.rows(statement, (claimed.id, claimed.lease)))
    if not ours:
        logger.warning("Withdrawal %s was claimed by another worker; its answer is left to that one.", claimed.id)
    return ours


def _answer(claimed: Claimed, outcome: Outcome, now: datetime, *, provider_id: str = "", detail: str = "") -> None:
    PayoutAttempt.objects.filter(pk=claimed.attempt.pk).update(
        outcome=outcome,
        answered_at=now,
        provider_id=provider_id or claimed.attempt.provider_id,
        detail=detail[:255],
    )


def _wait(claimed: Claimed, now: datetime) -> None:
    """Look again later, ever less often, and not all at once."""
    pause = min(2.0**claimed.checks, LONGEST_PAUSE) * random.uniform(0.8, 1.2)
    _look_again(claimed, now, timedelta(seconds=pause))


def _look_again(claimed: Claimed, now: datetime, pause: timedelta) -> None:
    sql.run(
        "UPDATE wallets_withdrawal SET checks = checks + 1, next_at = %s, updated_at = %s WHERE id = %s",
        (now + pause, now, claimed.id),
    )
