"""A wallet's usage: what is left of it, exact and estimated, what it used, how that is settled, and who watches it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.charts import Chart
from backoffice.pages import ReadOnlyAdmin
from backoffice.tables import Figure, Table
from wallets.access import NotFound
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, act, button, permission
from wallets.admin.movements import wallet_cell
from wallets.admin.usage import drawing, parts, shown
from wallets.admin.usage.forms import RemovalForm, ThresholdForm
from wallets.balances import Ask
from wallets.models import UsageAccount
from wallets.usage import estimates, policies, settlement, thresholds
from wallets.usage.projection import Estimate
from wallets.usage.watching import WATCHMAN

PAGE = "wallets_usageaccount"
POLICIES = {"stop": "waits", "overdraft": "overdraws", "bill": "is billed"}


@admin.register(UsageAccount)
class UsageAccountAdmin(ReadOnlyAdmin):
    actions_detail = ("settle", "add_threshold", "remove_threshold")
    list_display = (
        "title", "short_id", "current_shown", "unsettled_shown", "policy", "watermark", "settle_at",
    )  # fmt: skip
    # They grow with customers, not with usage: these may be filtered without an index.
    list_filter: ClassVar[Sequence[Any]] = (("overage", ChoicesDropdownFilter),)
    list_select_related = ("wallet__owner",)
    ordering = ("-wallet_id",)
    search_ids = ("wallet", "wallet__owner")
    search_texts = ("wallet__owner__email",)
    search_help_text = "ID of wallet or owner, or the owner’s email"
    fieldsets = (
        (None, {"fields": (
            "wallet_shown", ("overage_shown", "low_mark_shown"), ("watermark", "opened_at"), ("settle_at", "tries"),
            "related",
        )}),
    )  # fmt: skip

    has_watch_permission = permission("wallets.watch_usage")

    def get_queryset(self, request: HttpRequest) -> QuerySet[UsageAccount]:
        return super().get_queryset(request).prefetch_related("wallet__account__balances")

    @button("Settle now", "What is unsettled is posted, as far as the wallet covers it.", needs="watch", icon="paid")
    def settle(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        return act(
            lambda actor, now: settlement.settle(UUID(object_id), by=actor, now=now, reason=reason), request, PAGE,
            object_id, done="What could be settled is.",
        )  # fmt: skip

    @button(
        "Add a threshold", "An alert opens below it, and closes somewhat above.",
        needs="watch", icon="add_alert", variant=ActionVariant.PRIMARY, form=ThresholdForm,
    )  # fmt: skip
    def add_threshold(self, request: HttpRequest, form: ThresholdForm, object_id: str) -> HttpResponse:
        kind, below = form.cleaned_data["kind"], form.marks()
        return act(
            lambda actor, now: thresholds.add(UUID(object_id), kind=kind, below=below, actor=actor, now=now), request,
            PAGE, object_id,
        )  # fmt: skip

    @button(
        "Remove a threshold", "Its alert is closed with it.",
        needs="watch", icon="notifications_off", form=RemovalForm,
    )  # fmt: skip
    def remove_threshold(self, request: HttpRequest, form: RemovalForm, object_id: str) -> HttpResponse:
        id = UUID(form.cleaned_data["threshold"])
        return act(lambda actor, now: thresholds.remove(id, actor=actor, now=now), request, PAGE, object_id)

    @display(description="wallet")
    def title(self, account: UsageAccount) -> str:
        return words.wallet_name(account.wallet)

    @display(description="wallet")
    def wallet_shown(self, account: UsageAccount) -> str:
        return wallet_cell(account.wallet)

    @display(description="current")
    def current_shown(self, account: UsageAccount) -> str:
        lane = next(lane for lane in account.wallet.account.balances.all() if lane.lane == 0)
        available = lane.sign * lane.balance - lane.held - lane.pending
        left = policies.current(account.overage, available, account.rated - account.posted)
        return shown.money(left, account.wallet.currency)

    @display(description="not settled yet")
    def unsettled_shown(self, account: UsageAccount) -> str:
        return shown.taken(account.rated - account.posted, account.wallet.currency)

    @display(description="what it can’t cover")
    def policy(self, account: UsageAccount) -> str:
        return cells.label(POLICIES[account.overage])

    @display(description="what it can’t cover")
    def overage_shown(self, account: UsageAccount) -> str:
        return account.get_overage_display()

    @display(description="settled at once below")
    def low_mark_shown(self, account: UsageAccount) -> str:
        return cells.money(account.low_mark, account.wallet.currency)

    @display(description="see also")
    def related(self, account: UsageAccount) -> str:
        lists = (("wallets_usagesettlement", "Settlements"), ("wallets_usagealert", "Alerts"))
        links = [cells.rows_link(model, text, wallet__id__exact=account.pk) for model, text in lists]
        return cells.row_of(
            [words.wallet_link(account.pk, "The wallet"), *links, words.audit_link("wallet", account.pk)]
        )

    def figures(self, account: UsageAccount, now: datetime) -> list[Figure]:
        estimate = estimated(account.pk, now)
        if estimate is None:
            return []
        balance, currency = estimate.balance, account.wallet.currency
        ago = shown.span((now - balance.watermark).total_seconds())
        return [
            Figure("Available in the books", cells.money(balance.standing.available, currency)),
            Figure("Not settled yet", shown.taken(balance.unsettled, currency)),
            Figure("Current, exact", shown.money(balance.current, currency), strong=True),
            Figure(
                f"Estimated, {ago} on", cells.lines(shown.money(estimate.estimated, currency), band(estimate, currency))
            ),
            Figure("Runway", shown.span(estimate.runway_seconds)),
        ]

    def charts(self, account: UsageAccount, now: datetime) -> list[Chart]:
        estimate = estimated(account.pk, now)
        if estimate is None:
            return []
        found = (drawing.by_hour(account.pk, estimate, now), drawing.by_day(account.pk, account.wallet.currency, now))
        return [chart for chart in found if chart]

    def tables(self, account: UsageAccount, now: datetime) -> list[Table]:
        wallet = account.wallet
        return [
            parts.watched(wallet), parts.top_up(wallet), parts.months(wallet), parts.settlements(wallet),
            parts.accuracy(wallet, now),
        ]  # fmt: skip


def estimated(wallet_id: UUID, now: datetime) -> Estimate | None:
    """A wallet's estimate as it is now, from wherever it is quickest."""
    (known,) = estimates.read([Ask(WATCHMAN, wallet_id)], now=now)
    return None if isinstance(known, NotFound) else known.estimate()


def band(estimate: Estimate, currency: str) -> str:
    """Between what it lies, where it isn't certain."""
    if estimate.lower == estimate.upper:
        return cells.label("exact", "success")
    low, high = (shown.money(bound, currency) for bound in (estimate.lower, estimate.upper))
    return cells.small(low, " to ", high)
