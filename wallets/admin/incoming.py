"""Money in through providers: top-ups, what providers told us, and money that came and can't be matched."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, button, permission, propose
from wallets.admin.movements import MovementAdmin, wallet_cell
from wallets.admin.proposals import about
from wallets.models import TopUp, UnmatchedReceipt, WebhookEvent
from wallets.proposals.receipts import ReceiptDecision
from wallets.providers.redaction import plain, redacted
from wallets.providers.transport import decode

EVENTS = (Column("Received"), Column("Event"), Column("State"), Column("Outcome"))


class TopUpStatusFilter(DropdownFilter):
    """Top-ups of one status; pending ones are found by the index of what workers have to do."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.label) for status in TopUp.Status]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in TopUp.Status.values:
            return queryset
        pending = Q(next_at__isnull=False) if self.value() == TopUp.Status.PENDING else Q()
        return queryset.filter(pending, status=self.value())


class StateFilter(DropdownFilter):
    """Events in one state; those that wait are found by the index of what workers have to do."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, state.label) for state in WebhookEvent.State]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in WebhookEvent.State.values:
            return queryset
        return queryset.filter(state=self.value(), next_at__isnull=self.value() != WebhookEvent.State.WAITING)


class AssignedFilter(DropdownFilter):
    """Money that waits for people, or of which people have decided."""

    title = "assigned"
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Waits for a person"), ("yes", "Given to a wallet or written off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        wanted = {"no": True, "yes": False}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(assigned_at__isnull=wanted)


@admin.register(TopUp)
class TopUpAdmin(MovementAdmin):
    list_display = (
        "created_at",
        "short_id",
        "wallet_shown",
        "provider",
        "amount_shown",
        "status_shown",
        "failure_code",
    )
    list_filter = (TopUpStatusFilter, ("created_at", PeriodFilter))
    list_select_related = ("wallet__owner",)
    search_ids = ("id", "wallet", "transaction")
    search_texts = ("reference",)
    search_help_text = "ID of top-up, wallet or transaction, or our reference"
    fieldsets = (
        (None, {"fields": (
            "whole_id", "wallet_shown", ("status_shown", "provider"), ("failure_code", "failure_detail"),
            "reference", ("provider_id", "payment_id"), "transaction_shown", ("created_at", "updated_at"),
            ("expires_at", "next_at"), "checks", ("asked_by", "audit"),
        )}),
    )  # fmt: skip

    @display(description="wallet")
    def wallet_shown(self, top_up: TopUp) -> str:
        return wallet_cell(top_up.wallet)

    def tables(self, top_up: TopUp, now: datetime) -> list[Table]:
        told = WebhookEvent.objects.filter(reference=top_up.reference, provider=top_up.provider).defer("body")
        kept = [
            cells.link("wallets_unmatchedreceipt", receipt.pk, cells.money(receipt.amount, receipt.currency))
            for receipt in top_up.receipts.order_by("id")[:20]
        ]
        return [
            Table(
                "What the provider told us", EVENTS, [event_row(event) for event in told.order_by("id")[:20]],
                empty="It hasn’t told us anything.", more=cells.row_of(kept),
            )
        ]  # fmt: skip


def event_row(event: WebhookEvent) -> tuple[Any, ...]:
    """One event, and what came of it."""
    return (
        cells.moment(event.received_at), cells.link("wallets_webhookevent", event.pk, event.dedupe_key),
        words.state(event.state), event.outcome or cells.NOTHING,
    )  # fmt: skip


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = (
        "received_at", "short_id", "provider", "told", "reference_shown", "verdict", "state_shown", "outcome",
    )  # fmt: skip
    list_filter: ClassVar[Sequence[Any]] = (StateFilter, ("received_at", PeriodFilter))
    ordering = ("-id",)
    search_texts = ("reference",)
    search_help_text = "ID of the event, or a reference"
    fieldsets = (
        (None, {"fields": (
            "whole_id", ("provider", "kind"), "dedupe_key", ("reference", "provider_id"),
            ("hinted_status", "occurred_at"), "verdict", ("state_shown", "tries"), "outcome",
            ("received_at", "handled_at"), "next_at", "headers", "digest", "raw",
        )}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        # A list needn't carry the bodies; a page asks for the one that it shows.
        return super().get_queryset(request).defer("body")

    @display(description="says")
    def told(self, event: WebhookEvent) -> str:
        return f"{event.kind} {event.hinted_status}".strip()

    @display(description="reference")
    def reference_shown(self, event: WebhookEvent) -> str:
        return cells.identifier(event.reference) if event.reference else cells.NOTHING

    @display(description="tries")
    def tries(self, event: WebhookEvent) -> int:
        return event.lease

    @display(description="signature")
    def verdict(self, event: WebhookEvent) -> str:
        """Nothing is stored without one that holds; two that differ under one key are worth a look."""
        if event.contradicts:
            return cells.label("Verified, other bytes before", "warning")
        return cells.label("Verified", "success")

    @display(description="state")
    def state_shown(self, event: WebhookEvent) -> str:
        return words.state(event.state)

    @display(description="SHA-256")
    def digest(self, event: WebhookEvent) -> str:
        return bytes(event.sha256).hex()

    @display(description="body")
    def raw(self, event: WebhookEvent) -> str:
        """What it says, but for secrets and account numbers: of those nobody is shown more than four digits."""
        if event.body is None:
            return cells.NOTHING
        body = bytes(event.body)
        told = decode(body)
        if told is None:
            text = plain(body.decode("utf-8", "backslashreplace"))
        else:
            text = json.dumps(redacted(told), indent=2, ensure_ascii=False)
        return cells.verbatim(text)


class AssignForm(ReasonForm):
    """Which wallet gets it."""

    wallet = forms.UUIDField(label="Wallet", help_text="Its ID.", widget=UnfoldAdminTextInputWidget)
    asks_first = ("wallet",)


@admin.register(UnmatchedReceipt)
class UnmatchedReceiptAdmin(ReadOnlyAdmin):
    actions_detail = ("assign", "write_off")
    list_display = (
        "received_at", "short_id", "provider", "reference_shown", "reason_shown", "amount_shown", "assigned",
    )  # fmt: skip
    list_filter: ClassVar[Sequence[Any]] = (AssignedFilter, ("received_at", PeriodFilter))
    list_select_related = ("wallet__owner",)
    ordering = ("-id",)
    search_ids = ("id", "wallet", "top_up")
    search_texts = ("payment_id",)
    search_help_text = "ID of receipt, wallet or top-up, or the provider’s name for the payment"
    fieldsets = (
        (None, {"fields": (
            "whole_id", "reason_shown", ("provider", "payment_id"), ("reference", "top_up_shown"), "received_at",
            "transaction_shown", "assigned", ("assigned_at", "assigned_by"), "assigned_because", "assignment_shown",
            "audit",
        )}),
    )  # fmt: skip

    @display(description="reference")
    def reference_shown(self, receipt: UnmatchedReceipt) -> str:
        return cells.abridged(receipt.reference)

    @display(description="amount")
    def amount_shown(self, receipt: UnmatchedReceipt) -> str:
        return cells.money(receipt.amount, receipt.currency)

    @display(description="reason")
    def reason_shown(self, receipt: UnmatchedReceipt) -> str:
        return receipt.get_reason_display()

    @display(description="given to")
    def assigned(self, receipt: UnmatchedReceipt) -> str:
        if receipt.assigned_at is None:
            return cells.label("Waits for a person", "warning")
        return wallet_cell(receipt.wallet) if receipt.wallet else cells.label("Written off")

    @display(description="top-up")
    def top_up_shown(self, receipt: UnmatchedReceipt) -> str:
        return cells.link("wallets_topup", receipt.top_up_id, receipt.top_up) if receipt.top_up_id else cells.NOTHING

    @display(description="kept by")
    def transaction_shown(self, receipt: UnmatchedReceipt) -> str:
        return cells.link("ledger_transaction", receipt.transaction_id, receipt.transaction.reference)

    @display(description="given by")
    def assignment_shown(self, receipt: UnmatchedReceipt) -> str:
        if receipt.assignment is None:
            return cells.NOTHING
        return cells.link("ledger_transaction", receipt.assignment_id, cells.abridged(receipt.assignment.reference))

    @display(description="audit")
    def audit(self, receipt: UnmatchedReceipt) -> str:
        return words.audit_link("unmatchedreceipt", receipt.pk)

    has_ask_receipt_permission = permission("wallets.ask_receipt")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Buttons for what waits, and for nothing else."""
        waits = UnmatchedReceipt.objects.filter(pk=object_id, assigned_at=None).exists()
        return super().get_actions_detail(request, object_id) if waits else []

    @button(
        "Give to a wallet", "The wallet is credited with it.", needs="ask_receipt", icon="move_down", form=AssignForm
    )
    def assign(self, request: HttpRequest, form: AssignForm, object_id: str) -> HttpResponse:
        deed = ReceiptDecision(UUID(object_id), form.cleaned_data["wallet"])
        return propose(deed, request, form, "wallets_unmatchedreceipt", object_id)

    @button(
        "Write off", "Nobody can be found whose it is: it becomes our income.",
        needs="ask_receipt", icon="delete_sweep", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def write_off(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(ReceiptDecision(UUID(object_id)), request, form, "wallets_unmatchedreceipt", object_id)

    def tables(self, receipt: UnmatchedReceipt, now: datetime) -> list[Table]:
        return [about("unmatchedreceipt", receipt.pk)]

    def figures(self, receipt: UnmatchedReceipt, now: datetime) -> list[Figure]:
        return [Figure("Amount", cells.money(receipt.amount, receipt.currency), strong=True)]
