"""The lines of statements: what each says, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.tables import Figure
from wallets.admin import words
from wallets.admin.reconciliation.sides import line_name
from wallets.models import ReconciledAccount, StatementLine


class OpenFilter(DropdownFilter):
    """Lines that nothing explains yet, by their own index."""

    title = "what became of it"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Open")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(match=None, status="booked") if self.value() == "yes" else queryset


@admin.register(StatementLine)
class StatementLineAdmin(ReadOnlyAdmin):
    list_display = ("day_shown", "account", "named", "status_shown", "became", "amount_shown")
    list_filter: ClassVar[Sequence[Any]] = (OpenFilter,)
    empty = "Lines come with statements: upload one."
    list_select_related = ("account",)
    ordering = ("-id",)
    search_ids = ("id", "statement", "match")
    search_texts = ("reference",)
    search_help_text = "ID of the line, the statement or the match, or the whole reference"
    fieldsets = (
        (None, {"fields": (
            ("day_shown", "account_shown"), ("status_shown", "became"), ("reference", "external_id"), "batch",
            "description", ("statement_shown", "number"), "by_hand_shown", "whole_id",
        )}),
    )  # fmt: skip

    def search(self, term: str) -> Q:
        """A reference is looked for in each account: its index begins with that."""
        found = super().search(term)
        return found if found == Q(pk__in=[]) else found & Q(account__in=ReconciledAccount.objects.values("pk"))

    @display(description="day")
    def day_shown(self, line: StatementLine) -> str:
        return cells.day(line.booked_on)

    @display(description="account")
    def account_shown(self, line: StatementLine) -> str:
        return cells.link("wallets_reconciledaccount", line.account_id, line.account)

    @display(description="reference")
    def named(self, line: StatementLine) -> str:
        return line_name(line)

    @display(description="state")
    def status_shown(self, line: StatementLine) -> str:
        return words.state(line.status)

    @display(description="found as")
    def became(self, line: StatementLine) -> str:
        return found_as(line)

    @display(description="amount")
    def amount_shown(self, line: StatementLine) -> str:
        return cells.money(line.amount, line.account.currency)

    @display(description="statement")
    def statement_shown(self, line: StatementLine) -> str:
        return cells.link("wallets_statement", line.statement_id, line.statement)

    @display(description="matched by")
    def by_hand_shown(self, line: StatementLine) -> str:
        return "people only: a match of it was taken apart" if line.by_hand else "the rules, or by hand"

    def figures(self, line: StatementLine, now: datetime) -> list[Figure]:
        currency = line.account.currency
        amount = Figure("Amount", cells.money(line.amount, currency), strong=True)
        return [amount, Figure("Their fee", cells.money(line.fee, currency))] if line.fee else [amount]


def found_as(line: StatementLine) -> str:
    """What became of a line: a match, a break, or nothing yet."""
    if line.match_id:
        return cells.link("wallets_match", line.match_id, "matched")
    if line.found_id:
        return cells.link("wallets_break", line.found_id, "break")
    return cells.NOTHING
