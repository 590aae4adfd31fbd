"""Matches: what was joined, by which rule or whom, and taking it apart again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Figure, Table
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, button, do, permission
from wallets.admin.reconciliation.sides import sides
from wallets.models import BooksItem, Match, StatementLine
from wallets.reconciliation import joining

PAGE = "wallets_match"


class KindFilter(DropdownFilter):
    """What is worth a look, each by an index of its own."""

    title = "what came of it"
    parameter_name = "came"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("differs", "A difference was accepted"), ("undone", "It was taken apart")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "differs":
                return queryset.filter(undone_at=None).exclude(difference=0)
            case "undone":
                return queryset.filter(undone_at__isnull=False)
        return queryset


@admin.register(Match)
class MatchAdmin(ReadOnlyAdmin):
    list_display = (
        "made_at", "account", "rule", "joins", "theirs_shown", "ours_shown", "difference_shown", "state",
    )  # fmt: skip
    list_filter: ClassVar[Sequence[Any]] = (
        KindFilter, ("account", RelatedDropdownFilter), ("made_at", PeriodFilter),
    )  # fmt: skip
    list_select_related = ("account",)
    ordering = ("-id",)
    search_help_text = "ID of the match"
    actions_detail = ("unmatch",)
    tables_first = True
    empty = "Nothing was matched yet. Upload a statement, and reconcile its account."
    made = (("rule", "account_shown"), ("made_by_shown", "made_at"), "made_because")
    undone = (("undone_by_shown", "undone_shown"), "undone_because_shown")

    has_reconcile_permission = permission("wallets.reconcile")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """How it ended is told of those that have."""
        ended = self.undone if obj and obj.undone_at else ()
        return ((None, {"fields": (*self.made, "state", *ended, "audit", "whole_id")}),)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A button for what still holds."""
        holds = Match.objects.filter(pk=object_id, undone_at=None).exists()
        return super().get_actions_detail(request, object_id) if holds else []

    @button(
        "Take apart", "Its lines and transactions are open again, and only people match them from now on; the next"
        " run lists what nobody has matched by then.",
        needs="reconcile", icon="link_off", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def unmatch(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(joining.unmatch, request, form, PAGE, object_id)

    @display(description="account")
    def account_shown(self, match: Match) -> str:
        return cells.link("wallets_reconciledaccount", match.account_id, match.account)

    @display(description="joins")
    def joins(self, match: Match) -> str:
        return f"{match.lines:,} : {match.items:,}"

    @display(description="theirs")
    def theirs_shown(self, match: Match) -> str:
        return cells.money(match.theirs, match.account.currency)

    @display(description="ours")
    def ours_shown(self, match: Match) -> str:
        return cells.money(match.ours, match.account.currency)

    @display(description="difference")
    def difference_shown(self, match: Match) -> str:
        return cells.money(match.difference, match.account.currency)

    @display(description="state")
    def state(self, match: Match) -> str:
        return cells.label("Taken apart") if match.undone_at else cells.label("Matched", "success")

    @display(description="made by")
    def made_by_shown(self, match: Match) -> str:
        return words.caller_link(match.made_by)

    @display(description="taken apart by")
    def undone_by_shown(self, match: Match) -> str:
        return words.caller_link(match.undone_by) if match.undone_by else cells.NOTHING

    @display(description="taken apart at")
    def undone_shown(self, match: Match) -> str:
        return cells.moment(match.undone_at)

    @display(description="taken apart because")
    def undone_because_shown(self, match: Match) -> str:
        return match.undone_because

    @display(description="audit")
    def audit(self, match: Match) -> str:
        return words.audit_link("match", match.pk)

    def figures(self, match: Match, now: datetime) -> list[Figure]:
        amounts = {"Theirs": match.theirs, "Ours": match.ours, "Difference": match.difference}
        return [
            Figure(title, cells.money(amount, match.account.currency), strong=title == "Difference")
            for title, amount in amounts.items()
        ]

    def tables(self, match: Match, now: datetime) -> Sequence[Table]:
        if match.undone_at:
            return ()
        return sides(match, StatementLine.objects.filter(match=match), BooksItem.objects.filter(match=match))
