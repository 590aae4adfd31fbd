"""The second person: approves a withdrawal that the rules put before them, or rejects it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from ledger.durable import durable
from users.models import User
from users.permissions import PermissionDenied
from wallets import bell
from wallets.access import WalletFrozen
from wallets.models import Wallet
from wallets.opening import InvalidState
from wallets.withdrawals import settle, steps
from wallets.withdrawals.steps import Because, Status


@durable
def approve(withdrawal_id: UUID, *, actor: User, reason: str, now: datetime) -> None:
    """Let it be paid. Whoever asked for it can't: the database refuses that, too.

    Raises InvalidState, PermissionDenied and WalletFrozen.
    """
    withdrawal = steps.locked(withdrawal_id)
    _check_awaits(withdrawal.status)
    approver = f"person:{actor.pk}"
    if approver == withdrawal.created_by:
        raise PermissionDenied("You asked for this withdrawal; somebody else must approve it.")
    if withdrawal.wallet.status == Wallet.Status.FROZEN:
        raise WalletFrozen(f"The wallet {withdrawal.wallet_id} is frozen; nothing may leave it until that is lifted.")
    because = Because(f"Approved by {actor}: {reason}", actor)
    steps.move(
        withdrawal, Status.PENDING, because, now=now, action="withdrawal.approved", next_at=now, approved_by=approver,
    )  # fmt: skip
    transaction.on_commit(lambda: bell.ring("wallets.advance_withdrawal", str(withdrawal_id)))


@durable
def reject(withdrawal_id: UUID, *, actor: User, reason: str, now: datetime) -> None:
    """Don't let it be paid, and give the money back. Raises InvalidState."""
    withdrawal = steps.locked(withdrawal_id)
    _check_awaits(withdrawal.status)
    settle.give_hold_back(withdrawal, now=now)
    steps.move(
        withdrawal, Status.CANCELLED, Because(f"Rejected by {actor}: {reason}", actor), now=now,
        action="withdrawal.rejected", failure_code="not_approved", failure_detail=reason[:255],
    )  # fmt: skip


def _check_awaits(status: str) -> None:
    if status != Status.AWAITING_APPROVAL:
        raise InvalidState(f"The withdrawal is {steps.words(status)}; it doesn't wait for approval.")
