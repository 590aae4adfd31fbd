"""Asking for money out: the money is held and the row committed before anybody is answered, and no bank is called."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from uuid_utils.compat import uuid7

from ledger import sql
from ledger.balances import Standing
from ledger.decision import AmountTooLarge, Refused
from ledger.money import MAX_POSTING
from ledger.posting import post
from ledger.requests import Place, Posting
from users import audit
from users.callers import Caller
from users.context import request_id
from users.permissions import PermissionDenied, require_scope
from wallets import bank_accounts, bell, metrics
from wallets.access import Access, Need, NotFound, WalletRefused, check, reach
from wallets.backlog import Backlog, QueueFull
from wallets.models import BankAccount, Withdrawal
from wallets.opening import InvalidState
from wallets.providers.port import ProviderUnavailable
from wallets.providing import registry
from wallets.transfers import CurrencyMismatch
from wallets.withdrawals import rules, steps
from wallets.withdrawals.rules import LimitExceeded, Rules, Used
from wallets.withdrawals.steps import Because, Status

backlog = Backlog("wallets_withdrawal", "status = 'pending'", "WITHDRAWAL_QUEUE_LIMIT")


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asks for: `amount` minor units of a wallet, to a bank account."""

    caller: Caller
    wallet: UUID
    amount: int
    bank_account: UUID
    description: str = ""
    id: UUID = field(default_factory=uuid7)
    # The request that asks, since another one's thread may do it.
    request_id: str = field(default_factory=request_id.get)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A withdrawal that was accepted, and the wallet with its money held."""

    withdrawal: Withdrawal
    standing: Standing


Refusal = (
    Refused
    | NotFound
    | PermissionDenied
    | WalletRefused
    | CurrencyMismatch
    | LimitExceeded
    | InvalidState
    | ProviderUnavailable
    | QueueFull
)
Outcome = Accepted | Refusal
REFUSED = (
    NotFound, PermissionDenied, WalletRefused, CurrencyMismatch, InvalidState, ProviderUnavailable, QueueFull,
)  # fmt: skip


def withdraw(order: Order, *, now: datetime) -> Accepted:
    """Accept one, inside the caller's transaction. Raises its Refusal."""
    (outcome,) = withdraw_each([order], now=now)
    if not isinstance(outcome, Accepted):
        raise outcome
    return outcome


def withdraw_each(orders: Sequence[Order], *, now: datetime) -> list[Outcome]:
    """Hold the money and the fee of each, and queue its payout or put it before a second person.

    Inside the caller's transaction; a worker is rung after its commit. A refusal stands where one can't be.
    """
    plans = _plans(orders)
    if any(isinstance(plan, Plan) and plan.rules.count_the_day for plan in plans):
        # The day's sum includes those before: each is looked at when they are written.
        return [outcome for plan in plans for outcome in _accept([plan], now)]
    return _accept(plans, now)


@dataclass(frozen=True, slots=True)
class Plan:
    """An order with what it is about, which nothing forbids as yet."""

    order: Order
    wallet: Access
    account: BankAccount
    rules: Rules


@dataclass(frozen=True, slots=True)
class Terms:
    """An order that fits the rules: what it costs, and why a second person must approve it ("" where none must)."""

    plan: Plan
    fee: int
    approval: str
    hold: Place


def _plans(orders: Sequence[Order]) -> list[Plan | Refusal]:
    wallets = reach({order.caller for order in orders}, {order.wallet for order in orders})
    accounts = bank_accounts.find_each({order.bank_account for order in orders})
    ruled = rules.load({(account.currency, account.provider) for account in accounts.values()})
    room = backlog.take(len(orders))
    plans: list[Plan | Refusal] = []
    for order in orders:
        try:
            require_scope(order.caller, "withdrawals:write")
            wallet = check(order.caller, wallets.get(order.wallet), Need.SPEND)
            account = bank_accounts.check(order.caller, accounts.get(order.bank_account))
            wallet.check_may_pay()
            bank_accounts.check_may_be_paid(account)
            if account.currency != wallet.currency:
                raise CurrencyMismatch(wallet.currency, account.currency)
            if account.provider not in registry():
                raise ProviderUnavailable("The bank account's provider isn't in use now; add the account at another.")
            if not room:
                raise QueueFull("withdrawals")
            room -= 1
            plans.append(Plan(order, wallet, account, ruled[account.currency, account.provider]))
        except REFUSED as refusal:
            plans.append(refusal)
    return plans


def _accept(plans: Sequence[Plan | Refusal], now: datetime) -> list[Outcome]:
    outcomes: list[Any] = [_terms(plan, now) if isinstance(plan, Plan) else plan for plan in plans]
    chosen = [(index, terms) for index, terms in enumerate(outcomes) if isinstance(terms, Terms)]
    if not chosen:
        return outcomes
    postings = [Posting("hold", terms.hold.reference, places=(terms.hold,)) for _, terms in chosen]
    posted = post(postings, now=now)
    for (index, terms), refusal in zip(chosen, posted.refusals, strict=True):
        standing = Standing.of(posted.lane(terms.plan.wallet.account))
        outcomes[index] = refusal or Accepted(_row(terms, now), standing)
    accepted = [(terms, outcomes[index]) for index, terms in chosen if isinstance(outcomes[index], Accepted)]
    if accepted:
        _write([(terms, made.withdrawal) for terms, made in accepted], now)
    return outcomes


def _terms(plan: Plan, now: datetime) -> Terms | Refusal:
    order, ruled = plan.order, plan.rules
    used = rules.used_today(plan.wallet.id, now=now) if ruled.count_the_day else Used()
    try:
        ruled.check_limits(order.amount, used)
        fee = ruled.fee_of(order.amount)
        total = _total(order.amount, fee)
    except (LimitExceeded, AmountTooLarge) as refusal:
        return refusal
    hold = Place(plan.wallet.account, total, f"withdrawal:{order.id}")
    return Terms(plan, fee, ruled.approval_of(order.amount, used, plan.account), hold)


def _total(amount: int, fee: int) -> int:
    """What is held. Raises AmountTooLarge."""
    if amount + fee > MAX_POSTING:
        raise AmountTooLarge(
            f"With its fee of {fee}, more than a transaction may move: {MAX_POSTING}.", maximum=MAX_POSTING
        )
    return amount + fee


def _row(terms: Terms, now: datetime) -> Withdrawal:
    order, account, waits = terms.plan.order, terms.plan.account, bool(terms.approval)
    return Withdrawal(
        id=order.id, wallet_id=order.wallet, bank_account=account, provider=account.provider, amount=order.amount,
        fee=terms.fee, currency=account.currency, description=order.description, hold_id=terms.hold.id,
        created_by=order.caller.key, status=Status.AWAITING_APPROVAL if waits else Status.PENDING,
        approval_reason=terms.approval[:255], created_at=now, updated_at=now, next_at=None if waits else now,
    )  # fmt: skip


# Their accounts are locked: a wallet's status can't change any more, and where it did just now all is decided again.
STILL_ACTIVE = "SELECT wallets_lost_race() FROM wallets_wallet WHERE id = ANY (%s::uuid[]) AND status <> 'active'"


def _write(accepted: Sequence[tuple[Terms, Withdrawal]], now: datetime) -> None:
    sql.run(STILL_ACTIVE, (sql.uuids(made.wallet_id for _, made in accepted),))
    Withdrawal.objects.bulk_create([made for _, made in accepted])
    steps.note_each([(made, Because(_asked(terms), terms.plan.order.caller)) for terms, made in accepted], now=now)
    audit.record_many(
        audit.Event(
            actor=terms.plan.order.caller, action="withdrawal.requested", kind="withdrawal", object_id=made.id, now=now,
            data={"wallet": str(made.wallet_id), "amount": made.amount, "fee": made.fee,
                  "bank_account": str(made.bank_account_id)},
            request_id=terms.plan.order.request_id,
        )
        for terms, made in accepted
    )  # fmt: skip
    for _, made in accepted:
        metrics.payout_became(made.provider, made.status)
        if made.status == Status.PENDING:
            transaction.on_commit(partial(bell.ring, "wallets.advance_withdrawal", str(made.id)))


def _asked(terms: Terms) -> str:
    if terms.approval:
        return f"Asked for; a second person must approve it. {terms.approval}"
    return "Asked for, and the money held."


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
