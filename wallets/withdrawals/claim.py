"""Who has a withdrawal: one worker, for the time of its lease. What it is about to send is committed here."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ledger import sql
from ledger.durable import durable
from wallets import metrics
from wallets.models import BankAccount, PayoutAttempt, Wallet, Withdrawal
from wallets.providers.port import Capability, PaymentProvider
from wallets.providing import provider, registry
from wallets.withdrawals import breaker, steps
from wallets.withdrawals.decide import AT_THE_DOOR, Known, Outcome
from wallets.withdrawals.steps import Because, Status
from wallets.withdrawals.timing import Terms

logger = logging.getLogger(__name__)

# A withdrawal whose provider isn't enabled is looked at again after so long, one of a frozen wallet, or to
# a blocked bank account, sooner.
DISABLED = timedelta(minutes=5)
FROZEN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A withdrawal that this worker has, and the attempt that is to be sent (or asked about, where it was sent)."""

    withdrawal: Withdrawal
    bank: PaymentProvider
    attempt: PayoutAttempt
    send: bool

    def known(self) -> Known:
        """What is known of the order before its answer is read."""
        withdrawal, attempt = self.withdrawal, self.attempt
        return Known(
            amount=withdrawal.amount, currency=withdrawal.currency, terms=terms(self.bank),
            started_at=attempt.started_at, sent_at=attempt.sent_at or attempt.started_at,
            status=Status(withdrawal.status), outcome=Outcome(attempt.outcome), detail=attempt.detail,
            sends=attempt.sends, checks=withdrawal.checks, doubtful=attempt.doubtful, misses=attempt.misses,
            missed_at=attempt.missed_at, answered_at=attempt.answered_at, action_since=attempt.action_since,
            completed_at=withdrawal.completed_at,
        )  # fmt: skip


def terms(bank: PaymentProvider) -> Terms:
    """How patient we are with a provider."""
    return Terms(Capability.UNIQUE_REFERENCE in bank.capabilities, bank.grace)


def due(*, now: datetime, limit: int = 200) -> list[UUID]:
    """The withdrawals that a worker shall look at now, longest waiting first."""
    statement = "SELECT id FROM wallets_withdrawal WHERE next_at <= %s ORDER BY next_at LIMIT %s"
    return [row[0] for row in sql.rows(statement, (now, limit))]


@durable
def claim(withdrawal_id: UUID, now: datetime) -> Claimed | None:
    """Claim it where it is due and nobody else is about to, and commit what is about to be sent."""
    free = Withdrawal.objects.select_for_update(no_key=True, skip_locked=True)
    withdrawal = free.filter(pk=withdrawal_id, next_at__lte=now).first()
    if withdrawal is None:
        return None
    if withdrawal.provider not in registry():
        logger.error(
            "Withdrawal %s waits for the provider %s, which isn't enabled.", withdrawal.pk, withdrawal.provider
        )
        _put_off(withdrawal, now + DISABLED)
        return None
    bank = provider(withdrawal.provider)
    attempt = PayoutAttempt.objects.filter(withdrawal=withdrawal).order_by("-number").first()
    if _is_to_be_sent(withdrawal, attempt):
        wait = _thaw(withdrawal, now) or breaker.held_until(
            bank.slug, withdrawal.currency, lease=terms(bank).lease, now=now
        )
        if wait is None:
            return _lease(withdrawal, bank, _about_to_be_sent(withdrawal, bank, attempt, now), now, send=True)
        _put_off(withdrawal, wait)
    elif attempt is not None:
        return _lease(withdrawal, bank, _about_to_be_asked(attempt), now)
    else:
        _put_off(withdrawal, None)
    return None


def _is_to_be_sent(withdrawal: Withdrawal, attempt: PayoutAttempt | None) -> bool:
    """Only what was never at the bank, as far as is known; all else is asked about."""
    if withdrawal.status not in steps.UNDER_WAY:
        return False
    return attempt is None or attempt.outcome in (Outcome.NOT_SENT, Outcome.REFUSED)


def _thaw(withdrawal: Withdrawal, now: datetime) -> datetime | None:
    """When to look again whether anything may go from the wallet to the bank account, or None where it may."""
    frozen = Wallet.objects.filter(pk=withdrawal.wallet_id, status=Wallet.Status.FROZEN)
    blocked = BankAccount.objects.filter(pk=withdrawal.bank_account_id, blocked_at__isnull=False)
    return now + FROZEN if frozen.exists() or blocked.exists() else None


LEASE = """
UPDATE wallets_withdrawal SET lease = lease + 1, next_at = %(until)s, busy_until = %(until)s, heard = false
WHERE id = %(id)s RETURNING lease
"""


def _lease(
    withdrawal: Withdrawal, bank: PaymentProvider, attempt: PayoutAttempt, now: datetime, *, send: bool = False
) -> Claimed:
    until = now + terms(bank).lease
    if withdrawal.status == Status.PENDING:
        because = Because(f"A worker took it, to be paid through {bank.slug}.", attempt=attempt.number)
        steps.move(withdrawal, Status.PROCESSING, because, now=now, next_at=until)
    withdrawal.lease = sql.rows(LEASE, {"until": until, "id": withdrawal.pk})[0][0]
    return Claimed(withdrawal, bank, attempt, send)


def _put_off(withdrawal: Withdrawal, until: datetime | None) -> None:
    """Leave it as it is until then."""
    Withdrawal.objects.filter(pk=withdrawal.pk).update(next_at=until)


def _about_to_be_sent(
    withdrawal: Withdrawal, bank: PaymentProvider, attempt: PayoutAttempt | None, now: datetime
) -> PayoutAttempt:
    """The attempt, new or the same again as it was. Until its answer is here, it isn't known whether it arrived."""
    if attempt is not None and attempt.outcome == Outcome.NOT_SENT:
        metrics.payout_retried(bank.slug)
        return _changed(
            attempt, outcome=Outcome.UNKNOWN, sent_at=now, sends=attempt.sends + 1, misses=0, missed_at=None,
            action_since=None,
        )  # fmt: skip
    number = attempt.number + 1 if attempt else 1
    return PayoutAttempt.objects.create(
        withdrawal=withdrawal, number=number, provider=bank.slug, started_at=now, sent_at=now, sends=1,
        reference=bank.payout_reference(withdrawal.pk, number),
    )  # fmt: skip


def _about_to_be_asked(attempt: PayoutAttempt) -> PayoutAttempt:
    """From now on it is in doubt: a "no" speaks of one sending, and no longer of all. Not so where all were refused."""
    settled = attempt.doubtful or attempt.outcome in AT_THE_DOOR
    return attempt if settled else _changed(attempt, doubtful=True)


def _changed(attempt: PayoutAttempt, **changes: object) -> PayoutAttempt:
    PayoutAttempt.objects.filter(pk=attempt.pk).update(**changes)
    for name, value in changes.items():
        setattr(attempt, name, value)
    return attempt
