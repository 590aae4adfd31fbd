"""What a recalculation found to differ, and what is done about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.tables import Figure
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, act, button, permission, propose
from wallets.admin.movements import wallet_cell
from wallets.admin.usage import shown
from wallets.models import UsageDifference
from wallets.proposals.usage_repairs import UsageRepair
from wallets.usage import repairing

PAGE = "wallets_usagedifference"


@admin.register(UsageDifference)
class UsageDifferenceAdmin(ReadOnlyAdmin):
    actions_detail = ("repair", "dismiss")
    list_display = ("month_shown", "short_id", "wallet_shown", "meter", "difference_shown", "state_shown")
    list_filter: ClassVar[Sequence[Any]] = (("state", ChoicesDropdownFilter),)
    list_select_related = ("wallet__owner", "meter", "price")
    ordering = ("-id",)
    search_ids = ("id", "wallet", "recalculation")
    search_help_text = "ID of difference, wallet or job"
    fieldsets = (
        (None, {"fields": (
            "wallet_shown", ("meter", "month_shown"), ("quantity", "counted_quantity"), "job_shown", "state_shown",
            ("decided_by_shown", "decided_at"), "decided_because", "settlement_shown", "whole_id",
        )}),
    )  # fmt: skip

    has_ask_repair_permission = permission("wallets.ask_usage_repair")
    has_run_permission = permission("wallets.run_usage_recalculation")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons of one that nobody has decided about."""
        is_open = UsageDifference.objects.filter(pk=object_id, state=UsageDifference.State.OPEN).exists()
        return super().get_actions_detail(request, object_id) if is_open else []

    @button(
        "Repair", "The month is set to what was counted, and what that changes is posted, once a second person agrees.",
        needs="ask_repair", icon="build", variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    def repair(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(UsageRepair(UUID(object_id)), request, form, PAGE, object_id)

    @button("Dismiss", "The month stays as it stands.", needs="run", icon="close")
    def dismiss(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        reason, id = form.cleaned_data["reason"], UUID(object_id)
        return act(
            lambda actor, now: repairing.dismiss(id, by=actor, reason=reason, now=now), request,
            PAGE, object_id, done="Dismissed.",
        )  # fmt: skip

    @display(description="month")
    def month_shown(self, found: UsageDifference) -> str:
        return f"{found.month:%B %Y}"

    @display(description="wallet")
    def wallet_shown(self, found: UsageDifference) -> str:
        return wallet_cell(found.wallet)

    @display(description="difference")
    def difference_shown(self, found: UsageDifference) -> str:
        return shown.money(found.counted_amount - found.amount, found.price.currency)

    @display(description="state")
    def state_shown(self, found: UsageDifference) -> str:
        return words.state(found.state)

    @display(description="found by")
    def job_shown(self, found: UsageDifference) -> str:
        return cells.link(
            "wallets_usagerecalculation", found.recalculation_id, cells.moment(found.recalculation.started_at)
        )

    @display(description="decided by")
    def decided_by_shown(self, found: UsageDifference) -> str:
        return words.caller_link(found.decided_by) if found.decided_by else cells.NOTHING

    @display(description="posted as")
    def settlement_shown(self, found: UsageDifference) -> str:
        if found.settlement is None:
            return cells.NOTHING
        return cells.link("wallets_usagesettlement", found.settlement_id, found.settlement)

    def figures(self, found: UsageDifference, now: datetime) -> list[Figure]:
        currency = found.price.currency
        return [
            Figure("Stands in the totals", shown.money(found.amount, currency)),
            Figure("Counted from raw events", shown.money(found.counted_amount, currency)),
            Figure("Difference", self.difference_shown(found), strong=True),
        ]


def row(found: UsageDifference) -> tuple[Any, ...]:
    """One difference among others."""
    currency = found.price.currency
    return (
        cells.link(PAGE, found.pk, cells.identifier(found.pk)), wallet_cell(found.wallet),
        f"{found.month:%B %Y}", found.meter.name, shown.money(found.amount, currency),
        cells.marked(shown.money(found.counted_amount, currency)), words.state(found.state),
    )  # fmt: skip
