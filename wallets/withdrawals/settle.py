"""How a withdrawal ends: paid, given back, or before a person. Each inside the caller's transaction, which has its row
locked.
"""

from datetime import datetime
from uuid import UUID

from ledger import holds
from ledger.posting import post_one
from ledger.requests import Close, Posting
from users import audit
from users.callers import System
from wallets import chart, metrics
from wallets.models import Withdrawal

PAYOUTS = System("payouts")


def complete(withdrawal_id: UUID, *, now: datetime) -> None:
    """The bank paid: the held money leaves the wallet, and the provider's account with us."""
    withdrawal = _find(withdrawal_id)
    account = withdrawal.wallet.account_id
    purse = chart.wallet(account, withdrawal.currency)
    total = withdrawal.amount + withdrawal.fee
    legs = [purse.debit(total), chart.clearing(withdrawal.provider, withdrawal.currency).credit(withdrawal.amount)]
    if withdrawal.fee:
        legs.append(chart.fees(withdrawal.currency).credit(withdrawal.fee))
    posting = Posting(
        "withdrawal", f"withdrawal:{withdrawal.id}", tuple(legs), closes=(Close(account, withdrawal.hold_id, total),),
        description=withdrawal.description,
    )  # fmt: skip
    post_one(posting, now=now)
    metrics.posted("withdrawal")
    metrics.payout_settled(withdrawal.provider, (now - withdrawal.created_at).total_seconds())
    _end(withdrawal, Withdrawal.Status.COMPLETED, now, transaction_id=posting.id)


def fail(withdrawal_id: UUID, *, code: str, detail: str, now: datetime) -> None:
    """The bank refused conclusively: the money is the wallet's to spend again."""
    withdrawal = _find(withdrawal_id)
    holds.release(withdrawal.wallet.account_id, withdrawal.hold_id, now=now)
    _end(withdrawal, Withdrawal.Status.FAILED, now, failure_code=code, failure_detail=detail[:255])


def review(withdrawal_id: UUID, detail: str, *, now: datetime) -> None:
    """Nobody but a person can tell: the money stays held, and no worker touches it."""
    _end(_find(withdrawal_id), Withdrawal.Status.IN_REVIEW, now, failure_code="in_review", failure_detail=detail[:255])


def _find(withdrawal_id: UUID) -> Withdrawal:
    return Withdrawal.objects.select_related("wallet").get(pk=withdrawal_id)


def _end(withdrawal: Withdrawal, status: Withdrawal.Status, now: datetime, **changes: object) -> None:
    Withdrawal.objects.filter(pk=withdrawal.pk).update(status=status, next_at=None, updated_at=now, **changes)
    metrics.payout_became(withdrawal.provider, status)
    audit.record(
        actor=PAYOUTS,
        action=f"withdrawal.{status}",
        kind="withdrawal",
        object_id=withdrawal.pk,
        data={name: str(value) for name, value in changes.items()},
        now=now,
    )
