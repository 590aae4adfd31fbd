"""Money in and across: deposits and transfers, with the transactions that made them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import localize
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Figure
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, button, do
from wallets.models import Deposit, Transfer, Wallet
from wallets.queued import rescue


class MovementAdmin(ReadOnlyAdmin):
    """What the pages of deposits, transfers and withdrawals share."""

    list_filter: ClassVar[Sequence[Any]] = (("created_at", PeriodFilter),)
    ordering = ("-id",)

    @display(description="amount")
    def amount_shown(self, movement: Any) -> str:
        return cells.money(movement.amount, movement.currency)

    @display(description="status")
    def status_shown(self, movement: Any) -> str:
        return words.state(movement.status)

    @display(description="asked for by")
    def asked_by(self, movement: Any) -> str:
        # Django draws a cell several times for a page; who it was is looked up once.
        if not hasattr(movement, "asker"):
            movement.asker = words.caller_link(movement.created_by)
        return movement.asker

    @display(description="transaction")
    def transaction_shown(self, movement: Any) -> str:
        id = movement.transaction_id
        return (
            cells.link("ledger_transaction", id, cells.abridged(movement.transaction.reference))
            if id
            else cells.NOTHING
        )

    @display(description="audit")
    def audit(self, movement: Any) -> str:
        return words.audit_link(movement._meta.model_name, movement.pk)

    def figures(self, movement: Any, now: datetime) -> list[Figure]:
        return [Figure("Amount", cells.money(movement.amount, movement.currency), strong=True)]


def wallet_cell(wallet: Wallet) -> str:
    """A wallet by its owner and name, with a link to it."""
    return words.wallet_link(wallet.pk, words.wallet_name(wallet))


@admin.register(Deposit)
class DepositAdmin(MovementAdmin):
    list_display = ("created_at", "short_id", "wallet_shown", "reference", "description", "amount_shown", "released")
    list_select_related = ("wallet__owner",)
    search_ids = ("id", "wallet")
    search_help_text = "ID of deposit or wallet"
    fieldsets = (
        (None, {"fields": (
            "whole_id", "wallet_shown", ("status_shown", "released"), ("created_at", "release_at"),
            "transaction_shown", ("reference", "description"), ("asked_by", "audit"), "metadata",
        )}),
    )  # fmt: skip

    @display(description="wallet")
    def wallet_shown(self, deposit: Deposit) -> str:
        return wallet_cell(deposit.wallet)

    @display(description="to be spent")
    def released(self, deposit: Deposit) -> str:
        if deposit.release_at <= timezone.now():
            return cells.label("Released", "success")
        return cells.label(f"From {localize(deposit.release_at)}", "info")


class WaitingFilter(DropdownFilter):
    """Transfers that haven't ended: those that wait for a worker, and those set aside that wait for a person."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, str(status.label)) for status in (Transfer.Status.QUEUED, Transfer.Status.SET_ASIDE)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case Transfer.Status.QUEUED:
                return queryset.filter(next_at__isnull=False)
            case Transfer.Status.SET_ASIDE:
                return queryset.filter(status=Transfer.Status.SET_ASIDE)
        return queryset


@admin.register(Transfer)
class TransferAdmin(MovementAdmin):
    list_display = (
        "created_at", "short_id", "source_shown", "destination_shown", "description", "amount_shown", "status_shown",
    )  # fmt: skip
    list_filter = (WaitingFilter, ("created_at", PeriodFilter))
    actions_detail = ("try_again", "give_up")
    list_select_related = ("source__owner", "destination__owner")
    search_help_text = "ID of the transfer"
    fieldsets = (
        (None, {"fields": (
            "whole_id", ("source_shown", "destination_shown"), ("status_shown", "created_at"), "transaction_shown",
            ("reference", "description"), ("asked_by", "audit"), "metadata", ("next_at", "tries"), "trouble", "failure",
        )}),
    )  # fmt: skip

    def has_rescue_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """A method, since unfold would look for a permission's name in a database that may not be there yet."""
        return bool(request.user.has_perm("wallets.rescue_transfer"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Buttons for what was set aside, and for nothing else."""
        aside = Transfer.objects.filter(pk=object_id, status=Transfer.Status.SET_ASIDE).exists()
        return super().get_actions_detail(request, object_id) if aside else []

    @button("Try again", "A worker makes it, as if it had been asked for now.", needs="rescue", icon="replay")
    def try_again(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(rescue.try_again, request, form, "wallets_transfer", object_id)

    @button(
        "Give up", "It will not be made, and its client is told that it failed.",
        needs="rescue", icon="close", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def give_up(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(rescue.give_up, request, form, "wallets_transfer", object_id)

    @display(description="from")
    def source_shown(self, transfer: Transfer) -> str:
        return wallet_cell(transfer.source)

    @display(description="to")
    def destination_shown(self, transfer: Transfer) -> str:
        return wallet_cell(transfer.destination)
