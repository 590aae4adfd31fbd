"""Holds: what is set aside, for what, and how it ended."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Figure
from ledger.models import Hold

VARIANTS = {"open": "info", "captured": "success", "released": "", "expired": "warning"}
OPEN = {"held": "Held for a payment", "pending": "Waiting for its release date", "any": "Any"}


class OpenFilter(DropdownFilter):
    """Open holds, which have an index of their own: they are few among all that ever were."""

    title = "open holds"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(OPEN.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in OPEN:
            return queryset
        kind = Q() if self.value() == "any" else Q(kind=self.value())
        return queryset.filter(kind, status=Hold.Status.OPEN)


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ("placed_at", "short_id", "reference_shown", "kind", "amount_shown", "status_shown", "expires_at")
    list_filter = (OpenFilter, ("placed_at", PeriodFilter))
    list_select_related = ("account",)
    ordering = ("-id",)
    search_ids = ("id", "account")
    search_texts = ("reference",)
    search_help_text = "ID, account’s ID, or the whole reference"
    fieldsets = (
        (None, {"fields": (
            "whole_id", "reference", "account", ("kind", "status_shown"), "placed_at", ("expires_at", "closed_at"),
        )}),
    )  # fmt: skip

    @display(description="reference")
    def reference_shown(self, hold: Hold) -> str:
        return cells.abridged(hold.reference)

    @display(description="amount")
    def amount_shown(self, hold: Hold) -> str:
        return cells.money(hold.amount, hold.account.currency)

    @display(description="status")
    def status_shown(self, hold: Hold) -> str:
        return cells.label(hold.get_status_display(), VARIANTS[hold.status])

    def figures(self, hold: Hold, now: datetime) -> list[Figure]:
        currency = hold.account.currency
        return [
            Figure("Amount", cells.money(hold.amount, currency), strong=True),
            Figure("Captured", cells.money(hold.captured, currency)),
        ]
