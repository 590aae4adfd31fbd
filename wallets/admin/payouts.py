"""Money out: withdrawals with their history and every attempt at a bank, and the bank accounts, of which only four
digits are shown.
"""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from backoffice.timeline import Happening, Timeline, folded
from wallets.admin import words
from wallets.admin.buttons import Buttons
from wallets.admin.deeds import ReasonForm, button, permission, propose
from wallets.admin.movements import MovementAdmin, wallet_cell
from wallets.admin.proposals import about
from wallets.models import BankAccount, PayoutAttempt, Withdrawal, WithdrawalStep
from wallets.proposals.bank_accounts import BankAccountBlock
from wallets.withdrawals import steps

ATTEMPTS = (
    Column("Number"), Column("Reference"), Column("Bank’s ID"), Column("Outcome"), Column("Detail"),
    Column("Started"), Column("Answered"),
)  # fmt: skip
NEWEST = 200
Status = Withdrawal.Status


class StatusFilter(DropdownFilter):
    """Withdrawals of one status; those under way are found by the index of what workers have to do."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.label) for status in Withdrawal.Status]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in Withdrawal.Status.values:
            return queryset
        found = queryset.filter(status=self.value())
        return found.filter(next_at__isnull=False) if self.value() in steps.UNDER_WAY else found


@admin.register(Withdrawal)
class WithdrawalAdmin(Buttons, MovementAdmin):
    list_display = (
        "created_at", "short_id", "wallet_shown", "bank_account_shown", "amount_shown", "status_shown", "failure_code",
    )  # fmt: skip
    list_filter = (StatusFilter, ("created_at", PeriodFilter))
    search_ids = ("id", "wallet", "bank_account", "transaction")
    search_help_text = "ID of withdrawal, wallet, bank account or transaction"
    fieldsets = (
        (None, {"fields": (
            "whole_id", "wallet_shown", "bank_account_shown", ("status_shown", "provider"),
            ("failure_code", "failure_detail"), ("approval_reason", "approved"), "hold_shown",
            ("transaction_shown", "return_shown"), ("created_at", "updated_at"), ("completed_at", "cost_shown"),
            ("next_at", "checks"), "description", ("asked_by", "audit"),
        )}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Withdrawal]:
        return super().get_queryset(request).select_related("wallet__owner", "bank_account", "hold", "transaction")

    @display(description="wallet")
    def wallet_shown(self, withdrawal: Withdrawal) -> str:
        return wallet_cell(withdrawal.wallet)

    @display(description="hold")
    def hold_shown(self, withdrawal: Withdrawal) -> str:
        return cells.link("ledger_hold", withdrawal.hold_id, cells.abridged(withdrawal.hold.reference))

    @display(description="bank account")
    def bank_account_shown(self, withdrawal: Withdrawal) -> str:
        return cells.link("wallets_bankaccount", withdrawal.bank_account_id, withdrawal.bank_account)

    @display(description="approved by")
    def approved(self, withdrawal: Withdrawal) -> str:
        return words.caller_link(withdrawal.approved_by) if withdrawal.approved_by else cells.NOTHING

    @display(description="return")
    def return_shown(self, withdrawal: Withdrawal) -> str:
        id = withdrawal.return_transaction_id
        return cells.link("ledger_transaction", id, "Returned by the bank") if id else cells.NOTHING

    @display(description="the provider took")
    def cost_shown(self, withdrawal: Withdrawal) -> str:
        fee = withdrawal.provider_fee
        return cells.NOTHING if fee is None else f"{withdrawal.currency} {fee.normalize():,f}"

    def figures(self, withdrawal: Withdrawal, now: datetime) -> list[Figure]:
        amounts = {"Amount": withdrawal.amount, "Fee": withdrawal.fee}
        if title := together(withdrawal):
            amounts[title] = withdrawal.amount + withdrawal.fee
        return [
            Figure(title, cells.money(amount, withdrawal.currency), strong=title == "Amount")
            for title, amount in amounts.items()
        ]

    def timeline(self, withdrawal: Withdrawal, now: datetime) -> Timeline:
        newest = list(withdrawal.steps.order_by("-id")[:NEWEST])
        callers = words.caller_links(step.actor for step in newest)
        return Timeline("What happened", folded([happening(step, callers[step.actor]) for step in newest]))

    def tables(self, withdrawal: Withdrawal, now: datetime) -> list[Table]:
        rows = [attempt_row(attempt) for attempt in withdrawal.attempts.order_by("number")]
        return [
            Table("Attempts at the bank", ATTEMPTS, rows, empty="The bank hasn’t been asked yet."),
            about("withdrawal", withdrawal.pk),
        ]


def together(withdrawal: Withdrawal) -> str:
    """What became of amount and fee; nothing to be told where they are the wallet's again."""
    if withdrawal.status == Status.COMPLETED:
        return "Taken"
    if withdrawal.status == Status.RETURNED:
        return "Returned"
    return "Held" if withdrawal.hold.status == "open" else ""


def happening(step: WithdrawalStep, caller: str) -> Happening:
    """One line of a withdrawal's history."""
    return Happening(
        step.at, step.what, caller, words.state(step.after) if step.after != step.before else "",
        f"attempt {step.attempt}" if step.attempt else "", json.dumps(step.raw, ensure_ascii=False) if step.raw else "",
    )  # fmt: skip


def attempt_row(attempt: PayoutAttempt) -> tuple[Any, ...]:
    """One order to a bank, and what came of it."""
    return (
        attempt.number, cells.identifier(attempt.reference),
        cells.identifier(attempt.provider_id) if attempt.provider_id else cells.NOTHING, words.state(attempt.outcome),
        attempt.detail or cells.NOTHING, cells.moment(attempt.started_at), cells.moment(attempt.answered_at),
    )  # fmt: skip


@admin.register(BankAccount)
class BankAccountAdmin(ReadOnlyAdmin):
    actions_detail = ("block", "unblock")
    list_display = ("account_name", "short_id", "ending", "bank", "holder", "currency", "state", "created_at")
    # Bank accounts grow with customers, not with payments: these may be filtered without an index.
    list_filter = ("currency", "provider", ("created_at", PeriodFilter))
    list_select_related = ("user", "client")
    ordering = ("-id",)
    search_ids = ("id", "user", "client")
    search_texts = ("user__email",)
    search_help_text = "ID of bank account or holder, or the holder’s email"
    fieldsets = (
        (None, {"fields": (
            "whole_id", ("account_name", "ending"), "bank", ("currency", "provider"), ("holder", "state"),
            ("created_at", "deleted_at"), "blocked_at", "withdrawals",
        )}),
    )  # fmt: skip

    has_ask_bank_account_permission = permission("wallets.ask_bank_account")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """To block it or to lift that, while its holder has it."""
        account = BankAccount.objects.filter(pk=object_id, deleted_at=None).first()
        if account is None:
            return []
        shown = f"wallets_bankaccount_{'unblock' if account.blocked_at else 'block'}"
        return [found for found in super().get_actions_detail(request, object_id) if found.action_name == shown]

    @button(
        "Block", "Nothing more is paid to its number, whoever has added it.",
        needs="ask_bank_account", icon="block", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def block(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(BankAccountBlock(UUID(object_id), True), request, form, "wallets_bankaccount", object_id)

    @button("Lift the block", "Money may be paid to it again.", needs="ask_bank_account", icon="lock_open")
    def unblock(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(BankAccountBlock(UUID(object_id), False), request, form, "wallets_bankaccount", object_id)

    def tables(self, account: BankAccount, now: datetime) -> list[Table]:
        return [about("bank_account", account.pk)]

    @display(description="number")
    def ending(self, account: BankAccount) -> str:
        return f"•••• {account.last4}"

    @display(description="bank")
    def bank(self, account: BankAccount) -> str:
        return f"{account.bank_name or 'Bank'} ({account.bank_code})"

    @display(description="holder")
    def holder(self, account: BankAccount) -> str:
        if account.user:
            return cells.link("users_user", account.user_id, account.user)
        return cells.link("users_apiclient", account.client_id, account.client)

    @display(description="state")
    def state(self, account: BankAccount) -> str:
        if account.deleted_at:
            return cells.label("Removed")
        return cells.label("Blocked", "danger") if account.blocked_at else cells.label("In use", "success")

    @display(description="withdrawals")
    def withdrawals(self, account: BankAccount) -> str:
        return cells.rows_link("wallets_withdrawal", "Withdrawals to it", bank_account__id__exact=account.pk)
