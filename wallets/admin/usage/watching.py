"""Alerts of wallets that run low, and the automatic top-ups that keep others from it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, button, do, permission
from wallets.admin.movements import wallet_cell
from wallets.admin.snapshots import OpenFilter
from wallets.admin.usage import parts, shown
from wallets.models import AutomaticTopUp, AutomaticTopUpAttempt, UsageAlert
from wallets.usage import automatic, topping_up

ATTEMPTS = (
    Column("When"), Column("Outcome"), Column("Why"), Column("Current before", number=True),
    Column("Amount", number=True),
)  # fmt: skip


@admin.register(UsageAlert)
class UsageAlertAdmin(ReadOnlyAdmin):
    list_display = (
        "opened_at", "short_id", "wallet_shown", "kind_shown", "below_shown", "figure_shown", "latest_shown", "state",
        "mailed_at",
    )  # fmt: skip
    list_filter: ClassVar[Sequence[Any]] = (OpenFilter, ("kind", ChoicesDropdownFilter), ("opened_at", PeriodFilter))
    list_select_related = ("wallet__owner",)
    ordering = ("-id",)
    search_ids = ("id", "wallet")
    search_help_text = "ID of alert or wallet"
    fieldsets = (
        (None, {"fields": (
            "wallet_shown", "usage", ("kind_shown", "state"), ("opened_at", "closed_at"), "mailed_at", "whole_id",
        )}),
    )  # fmt: skip

    @display(description="wallet")
    def wallet_shown(self, alert: UsageAlert) -> str:
        return wallet_cell(alert.wallet)

    @display(description="usage")
    def usage(self, alert: UsageAlert) -> str:
        return cells.link("wallets_usageaccount", alert.wallet_id, "What it uses, and what is left")

    @display(description="of")
    def kind_shown(self, alert: UsageAlert) -> str:
        return alert.get_kind_display()

    @display(description="threshold")
    def below_shown(self, alert: UsageAlert) -> str:
        return shown.mark(alert.kind, alert.below, alert.wallet.currency)

    @display(description="when it opened")
    def figure_shown(self, alert: UsageAlert) -> str:
        return shown.mark(alert.kind, alert.figure, alert.wallet.currency)

    @display(description="latest")
    def latest_shown(self, alert: UsageAlert) -> str:
        return shown.mark(alert.kind, alert.latest, alert.wallet.currency)

    @display(description="state")
    def state(self, alert: UsageAlert) -> str:
        return cells.label("Closed") if alert.closed_at else cells.label("Open", "danger")

    def figures(self, alert: UsageAlert, now: datetime) -> list[Figure]:
        return [
            Figure("Threshold", self.below_shown(alert)),
            Figure("When it opened", self.figure_shown(alert)),
            Figure("Latest", self.latest_shown(alert), strong=True),
        ]


@admin.register(AutomaticTopUp)
class AutomaticTopUpAdmin(ReadOnlyAdmin):
    actions_detail = ("try_again", "stop")
    list_display = ("title", "short_id", "below_shown", "amount_shown", "source_shown", "state", "next_at")
    list_filter: ClassVar[Sequence[Any]] = ("is_active",)
    list_select_related = ("wallet__owner", "source__owner")
    ordering = ("-wallet_id",)
    search_ids = ("wallet", "source")
    search_help_text = "ID of wallet or of the wallet it comes from"
    tables_first = True
    fieldsets = (
        (None, {"fields": (
            "wallet_shown", "source_shown", ("state", "next_at"), ("cool_down", "declines"),
            ("set_by_shown", "changed_at"), "audit",
        )}),
    )  # fmt: skip

    has_watch_permission = permission("wallets.watch_usage")

    @button("Try again", "It waits no longer, and is switched on if it was off.", needs="watch", icon="replay")
    def try_again(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(automatic.try_again, request, form, "wallets_automatictopup", object_id)

    @button(
        "Switch off", "The wallet is topped up no longer.", needs="watch", icon="power_off",
        variant=ActionVariant.DANGER,
    )  # fmt: skip
    def stop(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(automatic.stop, request, form, "wallets_automatictopup", object_id)

    @display(description="wallet")
    def title(self, plan: AutomaticTopUp) -> str:
        return words.wallet_name(plan.wallet)

    @display(description="wallet")
    def wallet_shown(self, plan: AutomaticTopUp) -> str:
        if not hasattr(plan.wallet, "usage"):
            return wallet_cell(plan.wallet)
        wallet = words.wallet_link(plan.pk, words.wallet_name(plan.wallet))
        return cells.row_of([wallet, cells.link("wallets_usageaccount", plan.pk, "Its usage")])

    @display(description="from")
    def source_shown(self, plan: AutomaticTopUp) -> str:
        return wallet_cell(plan.source)

    @display(description="below")
    def below_shown(self, plan: AutomaticTopUp) -> str:
        return cells.money(plan.below, plan.source.currency)

    @display(description="amount")
    def amount_shown(self, plan: AutomaticTopUp) -> str:
        return cells.money(plan.amount, plan.source.currency)

    @display(description="state")
    def state(self, plan: AutomaticTopUp) -> str:
        return parts.plan_state(plan)

    @display(description="set up by")
    def set_by_shown(self, plan: AutomaticTopUp) -> str:
        return words.caller_link(plan.set_by)

    @display(description="audit")
    def audit(self, plan: AutomaticTopUp) -> str:
        return words.audit_link("wallet", plan.pk)

    def figures(self, plan: AutomaticTopUp, now: datetime) -> list[Figure]:
        cap = plan.monthly_cap
        return [
            Figure("Below", self.below_shown(plan)),
            Figure("By", self.amount_shown(plan), strong=True),
            Figure("Moved in this month", cells.money(topping_up.moved_in_month(plan, now), plan.source.currency)),
            Figure("At most in a month", cells.money(cap, plan.source.currency) if cap else "no cap"),
        ]

    def tables(self, plan: AutomaticTopUp, now: datetime) -> list[Table]:
        return [Table("Attempts", ATTEMPTS, [attempt_row(attempt) for attempt in parts.attempts(plan)])]


def attempt_row(attempt: AutomaticTopUpAttempt) -> tuple[Any, ...]:
    """One attempt among others; one that was made leads to its transfer."""
    when = cells.moment(attempt.made_at)
    if attempt.transfer_id:
        when = cells.link("wallets_transfer", attempt.transfer_id, when)
    return (
        when, words.state(attempt.outcome), attempt.detail or cells.NOTHING,
        shown.money(attempt.current, attempt.currency), cells.money(attempt.amount, attempt.currency),
    )  # fmt: skip
