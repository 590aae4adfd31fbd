"""What is done with several breaks at once, each by itself."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from wallets.admin.deeds import tell
from wallets.admin.reconciliation.break_buttons import OwnerForm
from wallets.admin.reconciliation.sides import difference
from wallets.admin.selection import Chosen, SelectionForm, each, selection_page, sent
from wallets.models import Break
from wallets.reconciliation import resolving


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
            request, [(str(found), found) for found in chosen],
            lambda found: tell(lambda by, now: resolving.assign(found.pk, owner=owner, by=by, now=now), request),
            f"assigned to {owner.get_full_name()}" if owner else "given back to the list",
        )  # fmt: skip
        return None

    @admin.action(description="Accept …", permissions=["reconcile"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[Break]) -> HttpResponse | None:
        chosen, form = list(queryset), SelectionForm(sent(request))
        if not form.is_valid():
            says = "Each is resolved by this reason alone: what it is about counts as explained, and nothing is posted."
            return self._ask(request, "Accept", chosen, form, says)
        reason = form.cleaned_data["reason"]
        each(
            request, [(str(found), found) for found in chosen],
            lambda found: tell(
                lambda actor, now: resolving.accept(found.pk, actor=actor, reason=reason, now=now), request
            ),
            "accepted",
        )  # fmt: skip
        return None

    def _ask(self, request: HttpRequest, verb: str, chosen: list[Break], form: Any, says: str = "") -> HttpResponse:
        rows = [Chosen(found.pk, str(found), f"{found.account}, difference {difference(found)}") for found in chosen]
        return selection_page(self, request, verb, rows, form, says=says)
