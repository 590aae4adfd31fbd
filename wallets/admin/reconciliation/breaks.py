"""Breaks: the work list, the oldest first, and a page on which both sides stand beside each other."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.tables import Column, Figure, Table
from backoffice.timeline import Timeline
from wallets.admin import words
from wallets.admin.proposals import about
from wallets.admin.reconciliation.break_actions import Actions, name
from wallets.admin.reconciliation.break_buttons import Buttons
from wallets.admin.reconciliation.break_filters import AgeFilter, OwnerFilter, StateFilter
from wallets.admin.reconciliation.histories import history
from wallets.admin.reconciliation.sides import difference, sides
from wallets.models import BooksItem, Break, Match, ReconciledAccount, StatementLine

Kind, State, Resolution = Break.Kind, Break.State, Break.Resolution
VARIANTS = {"date": "info", "missing_here": "warning", "missing_there": "warning"}
MATCHES = (Column("Rule"), Column("By"), Column("Theirs", number=True), Column("Ours", number=True))


@admin.register(Break)
class BreakAdmin(Actions, Buttons, ReadOnlyAdmin):
    list_display = (
        "kind_shown", "since", "account", "theirs_shown", "ours_shown", "difference_shown", "looked_after",
    )  # fmt: skip
    list_filter: ClassVar[Sequence[Any]] = (
        StateFilter, ("kind", ChoicesDropdownFilter), OwnerFilter, ("account", RelatedDropdownFilter), AgeFilter,
    )  # fmt: skip
    list_select_related = ("account", "owner")
    ordering = ("first_on", "id")
    search_ids = ("id", "account")
    search_help_text = "ID of the break or of the account, or a whole reference"
    tables_first = True
    empty = "No break is open: all that statements and books say is explained."
    written = ("says", ("account_shown", "owner_shown"), ("state_shown", "opened_at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Break]:
        """Each with what its first line and its first transaction are called."""
        line = StatementLine.objects.filter(found=OuterRef("pk")).order_by("pk")
        item = BooksItem.objects.filter(found=OuterRef("pk")).order_by("pk")
        return super().get_queryset(request).annotate(
            their_name=Subquery(line.values("reference")[:1]), their_words=Subquery(line.values("description")[:1]),
            our_name=Subquery(item.values(name=Coalesce(NullIf("external_reference", Value("")), "reference"))[:1]),
        )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """How it ended is told of those that have."""
        ended = ("ended",) if obj and obj.state == State.RESOLVED else ()
        return ((None, {"fields": (*self.written, *ended, "audit", "whole_id")}),)

    def search(self, term: str) -> Q:
        """By an id, or by the reference of what it is about, which is looked for in each account."""
        accounts = Q(account__in=ReconciledAccount.objects.values("pk"))
        lines = StatementLine.objects.filter(accounts, reference=term)
        items = BooksItem.objects.filter(accounts, external_reference=term)
        return super().search(term) | Q(pk__in=lines.values("found")) | Q(pk__in=items.values("found"))

    @display(description="kind")
    def kind_shown(self, found: Break) -> str:
        kind = cells.label(found.kind.replace("_", " "), VARIANTS.get(found.kind, "danger"))
        return cells.lines(kind, cells.abridged(Truncator(name(found)).chars(30)))

    @display(description="since")
    def since(self, found: Break) -> str:
        return cells.lines(cells.day(found.first_on), cells.counted(days(found, timezone.now()), "day"))

    @display(description="account")
    def account_shown(self, found: Break) -> str:
        return cells.link("wallets_reconciledaccount", found.account_id, found.account)

    @display(description="theirs")
    def theirs_shown(self, found: Break) -> str:
        return cells.money(found.theirs, found.account.currency)

    @display(description="ours")
    def ours_shown(self, found: Break) -> str:
        return cells.money(found.ours, found.account.currency)

    @display(description="difference")
    def difference_shown(self, found: Break) -> str:
        return difference(found)

    @display(description="owner")
    def looked_after(self, found: Break) -> str:
        return self.state_shown(found) if found.state == State.RESOLVED else self.owner_shown(found)

    @display(description="owner")
    def owner_shown(self, found: Break) -> str:
        return found.owner.get_full_name() if found.owner else cells.NOTHING

    @display(description="state")
    def state_shown(self, found: Break) -> str:
        return cells.label("Open", "warning") if found.state == State.OPEN else cells.label("Resolved", "success")

    @display(description="what")
    def says(self, found: Break) -> str:
        return found.get_kind_display()

    @display(description="how it ended")
    def ended(self, found: Break) -> str:
        match found.resolution:
            case Resolution.POSTING:
                posting = cells.link("ledger_transaction", found.transaction_id, "By a posting")
                return cells.lines(posting, found.reason)
            case Resolution.MERGED:
                return cells.link("wallets_break", found.merged_into_id, "It is part of another break")
            case Resolution.NOTE:
                return cells.lines("Accepted", found.reason)
            case Resolution.MATCHED:
                return "It was matched"
        return cells.NOTHING

    @display(description="audit")
    def audit(self, found: Break) -> str:
        return words.audit_link("break", found.pk)

    def figures(self, found: Break, now: datetime) -> list[Figure]:
        return [
            Figure("Theirs", cells.money(found.theirs, found.account.currency)),
            Figure("Ours", cells.money(found.ours, found.account.currency)),
            Figure("Difference", difference(found), strong=True),
            Figure("Age", cells.counted(days(found, now), "day")),
        ]

    def timeline(self, found: Break, now: datetime) -> Timeline:
        return history(found)

    def tables(self, found: Break, now: datetime) -> list[Table]:
        lines, items = StatementLine.objects.filter(found=found), BooksItem.objects.filter(found=found)
        asked = about("break", found.pk)
        return [*sides(found, lines, items), *matches(found, lines, items), *([asked] if asked.rows else [])]


def matches(found: Break, lines: QuerySet[StatementLine], items: QuerySet[BooksItem]) -> list[Table]:
    """The matches by which it is explained, if it is."""
    if found.state == State.OPEN:
        return []
    ids = [Q(pk__in=side.exclude(match=None).values("match")) for side in (lines, items)]
    rows = [
        (cells.link("wallets_match", one.pk, one.rule), words.caller_link(one.made_by),
         *(cells.money(amount, found.account.currency) for amount in (one.theirs, one.ours)))
        for one in Match.objects.filter(ids[0] | ids[1]).order_by("-id")[:10]
    ]  # fmt: skip
    return [Table("What explains it", MATCHES, rows, "Its match was taken apart: the next run lists it again.")]


def days(found: Break, now: datetime) -> int:
    """How old it is, or was when it ended, in days."""
    return ((found.resolved_at or now).astimezone(UTC).date() - found.first_on).days
