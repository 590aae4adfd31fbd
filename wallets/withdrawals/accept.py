"""Asking for money out: the money is held and the row committed before anybody is answered, and no bank is called."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from uuid_utils.compat import uuid7

from ledger import holds
from ledger.balances import Standing
from ledger.decision import AmountTooLarge
from ledger.durable import TryAgain
from ledger.money import MAX_POSTING
from ledger.requests import Place
from users import audit
from users.callers import Caller
from users.permissions import require_scope
from wallets import bank_accounts, bell, metrics
from wallets.access import Need, NotFound, enter
from wallets.models import Wallet, Withdrawal
from wallets.transfers import CurrencyMismatch
from wallets.withdrawals import rules
from wallets.withdrawals.rules import Used
from wallets.withdrawals.steps import Because, Status, note


class QueueFull(Exception):
    """More withdrawals wait for the bank than we let wait."""

    code: ClassVar[str] = "queue_full"
    title: ClassVar[str] = "The queue is full"

    def __init__(self) -> None:
        super().__init__("Too many withdrawals are waiting for the bank; repeat this one later, with the same key.")
        self.data: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A withdrawal that was accepted, and the wallet with its money held."""

    withdrawal: Withdrawal
    standing: Standing


def withdraw(
    *, caller: Caller, wallet_id: UUID, amount: int, bank_account_id: UUID, description: str, now: datetime
) -> Accepted:
    """Hold the money and the fee, and queue the payout or put it before a second person.

    Inside the caller's transaction; the worker is rung after its commit. Raises PermissionDenied, NotFound,
    CurrencyMismatch, WalletFrozen, WalletClosed, AmountTooLarge, InsufficientFunds, LimitExceeded and QueueFull.
    """
    require_scope(caller, "withdrawals:write")
    wallet = enter(caller, wallet_id, Need.SPEND)
    account = bank_accounts.find(caller, bank_account_id)
    wallet.check_may_pay()
    if account.currency != wallet.currency:
        raise CurrencyMismatch(wallet.currency, account.currency)
    _check_backlog()
    ruled = rules.load(wallet.currency, account.provider)
    used = rules.used_today(wallet.id, now=now) if ruled.count_the_day else Used()
    ruled.check_limits(amount, used)
    fee, reason = ruled.fee_of(amount), ruled.approval_of(amount, used, account)
    id = uuid7()
    hold = Place(wallet.account, _total(amount, fee), f"withdrawal:{id}")
    posted = holds.place(hold, now=now)
    if not Wallet.objects.filter(pk=wallet.id, status=Wallet.Status.ACTIVE).exists():
        raise TryAgain("The wallet was frozen or closed just now.")
    made = Withdrawal.objects.create(
        id=id, wallet_id=wallet.id, bank_account=account, provider=account.provider, amount=amount, fee=fee,
        currency=wallet.currency, description=description, hold_id=hold.id, created_by=caller.key,
        status=Status.AWAITING_APPROVAL if reason else Status.PENDING, approval_reason=reason[:255],
        created_at=now, updated_at=now, next_at=None if reason else now,
    )  # fmt: skip
    asked = f"Asked for; a second person must approve it. {reason}" if reason else "Asked for, and the money held."
    note(made, Because(asked, caller), before="", now=now)
    audit.record(
        actor=caller, action="withdrawal.requested", kind="withdrawal", object_id=id,
        data={"wallet": str(wallet.id), "amount": amount, "fee": fee, "bank_account": str(account.id)}, now=now,
    )  # fmt: skip
    metrics.payout_became(account.provider, made.status)
    if not reason:
        transaction.on_commit(lambda: bell.ring("wallets.advance_withdrawal", str(id)))
    return Accepted(made, Standing.of(posted.lane(wallet.account)))


def _total(amount: int, fee: int) -> int:
    """What is held. Raises AmountTooLarge."""
    if amount + fee > MAX_POSTING:
        raise AmountTooLarge(
            f"With its fee of {fee}, more than a transaction may move: {MAX_POSTING}.", maximum=MAX_POSTING
        )
    return amount + fee


def visible(caller: Caller) -> QuerySet[Withdrawal]:
    """The withdrawals that a caller may see: those of the wallets that they may see."""
    withdrawals = Withdrawal.objects.select_related("bank_account")
    return withdrawals if caller.kind == "service" else withdrawals.filter(wallet__members__user_id=caller.id)


def find(caller: Caller, id: UUID) -> Withdrawal:
    """One of them. Raises NotFound."""
    withdrawal = visible(caller).filter(pk=id).first()
    if withdrawal is None:
        raise NotFound("withdrawal")
    return withdrawal


def _check_backlog() -> None:
    limit = settings.WITHDRAWAL_QUEUE_LIMIT
    waiting = Withdrawal.objects.filter(status=Withdrawal.Status.PENDING).order_by()
    if limit and waiting[limit - 1 : limit].exists():
        raise QueueFull
