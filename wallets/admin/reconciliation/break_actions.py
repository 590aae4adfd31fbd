"""What is done with several breaks at once, each by itself."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from backoffice import cells
from backoffice.money import format_money
from wallets.admin.deeds import tell
from wallets.admin.reconciliation.break_buttons import OwnerForm
from wallets.admin.selection import Chosen, SelectionForm, each, selection_page, sent
from wallets.models import Break
from wallets.reconciliation import resolving

ACCEPTING = "Each is resolved by this reason alone: what it is about counts as explained, and nothing is posted."


class Actions(ModelAdmin):
    """Assigning and accepting."""

    actions: Any = ("assign_selected", "accept_selected")

    @admin.action(description="Assign …", permissions=["reconcile"])
    def assign_selected(self, request: HttpRequest, queryset: QuerySet[Break]) -> HttpResponse | None:
        chosen, form = list(queryset), OwnerForm(sent(request))
        if not form.is_valid():
            return self._ask(request, "Assign", chosen, form)
        owner = form.cleaned_data["owner"]
        each(
            request, _named(chosen),
            lambda found: tell(lambda by, now: resolving.assign(found.pk, owner=owner, by=by, now=now), request),
            f"assigned to {owner.get_full_name()}" if owner else "given back to the list",
        )  # fmt: skip
        return None

    @admin.action(description="Accept …", permissions=["reconcile"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[Break]) -> HttpResponse | None:
        chosen, form = list(queryset), SelectionForm(sent(request))
        if not form.is_valid():
            return self._ask(request, "Accept", chosen, form, ACCEPTING)
        reason = form.cleaned_data["reason"]
        each(
            request, _named(chosen),
            lambda found: tell(lambda by, now: resolving.accept(found.pk, actor=by, reason=reason, now=now), request),
            "accepted",
        )  # fmt: skip
        return None

    def _ask(self, request: HttpRequest, verb: str, chosen: Sequence[Any], form: Any, says: str = "") -> HttpResponse:
        rows = [Chosen(found.pk, str(found), f"{name(found)}, {found.account}, {_apart(found)}") for found in chosen]
        return selection_page(self, request, verb, rows, form, says=says)


def name(found: Any) -> str:
    """What a break of the list is about, by the first name there is."""
    return str(found.their_name or found.our_name or found.their_words or cells.NOTHING)


def _named(chosen: Sequence[Any]) -> list[tuple[str, Any]]:
    return [(f"{name(found)}:", found) for found in chosen]


def _apart(found: Break) -> str:
    return f"{format_money(abs(found.ours - found.theirs), found.account.currency)} apart"
