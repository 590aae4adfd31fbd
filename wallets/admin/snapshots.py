"""What providers hold for us: linked accounts with a drawn history, every reading, and the alerts of drift."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from backoffice import cells
from backoffice.charts import Chart, Curve, curves
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from wallets import currencies
from wallets.admin import words
from wallets.admin.movements import wallet_cell
from wallets.models import BalanceSnapshot, DriftAlert, ProviderAccount
from wallets.snapshots import history

NEWEST = 10
DRAWN = timedelta(days=7)
READINGS = (
    Column("As of"), Column("Available", number=True), Column("In all", number=True),
    Column("Our books", number=True), Column("In flight", number=True), Column("Drift", number=True),
)  # fmt: skip
ALERTS = (Column("Opened"), Column("Drift", number=True), Column("Latest", number=True), Column("Closed"))


@admin.register(ProviderAccount)
class ProviderAccountAdmin(ReadOnlyAdmin):
    list_display = ("external_account_id", "short_id", "provider", "wallet_shown", "currency", "state", "next_at")
    # They grow with customers, not with payments: these may be filtered without an index.
    list_filter = ("provider", "currency")
    list_select_related = ("wallet__owner",)
    ordering = ("-id",)
    search_ids = ("id", "wallet")
    search_help_text = "ID of linked account or wallet"
    fieldsets = (
        (None, {"fields": (
            "whole_id", ("external_account_id", "provider"), "wallet_shown", ("state", "next_at"), "created_at",
            "related",
        )}),
    )  # fmt: skip

    @display(description="wallet")
    def wallet_shown(self, account: ProviderAccount) -> str:
        return wallet_cell(account.wallet)

    @display(description="state")
    def state(self, account: ProviderAccount) -> str:
        if account.failures:
            return cells.label(f"Hasn’t answered {account.failures} times", "warning")
        return cells.label("Answers", "success")

    @display(description="see also")
    def related(self, account: ProviderAccount) -> str:
        snapshots = cells.rows_link("wallets_balancesnapshot", "All snapshots", wallet__id__exact=account.wallet_id)
        return cells.row_of([snapshots, words.audit_link("wallet", account.wallet_id)])

    def figures(self, account: ProviderAccount, now: datetime) -> list[Figure]:
        newest = _readings(account).first()
        return reading_figures(newest) if newest else []

    def tables(self, account: ProviderAccount, now: datetime) -> list[Table]:
        rows = [reading_row(snapshot) for snapshot in _readings(account)[:NEWEST]]
        alerts = DriftAlert.objects.filter(
            provider=account.provider, external_account_id=account.external_account_id, currency=account.currency
        ).order_by("-opened_at")
        return [
            Table("Recent snapshots", READINGS, rows),
            Table("Alerts", ALERTS, [alert_row(alert) for alert in alerts[:NEWEST]], empty="There was none."),
        ]

    def charts(self, account: ProviderAccount, now: datetime) -> list[Chart]:
        return [chart] if (chart := week(account)) else []


@admin.register(BalanceSnapshot)
class BalanceSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("as_of", "short_id", "external_account_id", "wallet_shown", "total_shown", "books_shown", "drifted")
    list_filter = (("created_at", PeriodFilter),)
    list_select_related = ("wallet__owner",)
    ordering = ("-id",)
    search_ids = ("id", "wallet")
    search_help_text = "ID of snapshot or wallet"
    fieldsets = (
        (None, {"fields": (
            "whole_id", "wallet_shown", ("external_account_id", "provider"), ("as_of", "created_at"),
            ("balance", "total"), "external_balance_id", ("asked_by", "idempotency_key"), "metadata",
        )}),
    )  # fmt: skip

    @display(description="wallet")
    def wallet_shown(self, snapshot: BalanceSnapshot) -> str:
        return wallet_cell(snapshot.wallet)

    @display(description="in all")
    def total_shown(self, snapshot: BalanceSnapshot) -> str:
        return _exact(snapshot, "total")

    @display(description="our books")
    def books_shown(self, snapshot: BalanceSnapshot) -> str:
        return cells.money(snapshot.ledger_balance, snapshot.currency)

    @display(description="drift")
    def drifted(self, snapshot: BalanceSnapshot) -> str:
        return cells.money(snapshot.drift, snapshot.currency)

    @display(description="asked for by")
    def asked_by(self, snapshot: BalanceSnapshot) -> str:
        return words.caller_link(snapshot.created_by)

    def figures(self, snapshot: BalanceSnapshot, now: datetime) -> list[Figure]:
        return reading_figures(snapshot)


class OpenFilter(DropdownFilter):
    """Alerts that somebody must look at, or those that are over."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("closed", "Closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("open", "closed"):
            return queryset
        return queryset.filter(closed_at__isnull=self.value() == "open")


@admin.register(DriftAlert)
class DriftAlertAdmin(ReadOnlyAdmin):
    list_display = (
        "opened_at", "short_id", "external_account_id", "provider", "drift_shown", "latest_shown", "state", "mailed_at",
    )  # fmt: skip
    list_filter = (OpenFilter, ("opened_at", PeriodFilter))
    ordering = ("-id",)
    search_ids = ("id", "snapshot")
    search_help_text = "ID of alert or snapshot"
    fieldsets = (
        (None, {"fields": (
            "whole_id", ("external_account_id", "provider"), "state", ("opened_at", "closed_at"), "mailed_at",
            "snapshot_shown",
        )}),
    )  # fmt: skip

    @display(description="drift")
    def drift_shown(self, alert: DriftAlert) -> str:
        return cells.money(alert.drift, alert.currency)

    @display(description="latest")
    def latest_shown(self, alert: DriftAlert) -> str:
        return cells.money(alert.latest_drift, alert.currency)

    @display(description="state")
    def state(self, alert: DriftAlert) -> str:
        return cells.label("Closed") if alert.closed_at else cells.label("Open", "danger")

    @display(description="opened by")
    def snapshot_shown(self, alert: DriftAlert) -> str:
        return cells.link("wallets_balancesnapshot", alert.snapshot_id, alert.snapshot)

    def figures(self, alert: DriftAlert, now: datetime) -> list[Figure]:
        amounts = {"Drift when it opened": alert.drift, "Latest drift": alert.latest_drift, "Allowed": alert.threshold}
        return [
            Figure(title, cells.money(amount, alert.currency), strong=amount is alert.latest_drift)
            for title, amount in amounts.items()
        ]


def week(account: ProviderAccount) -> Chart | None:
    """The week before the newest snapshot, hour by hour: what the provider held, and what our books said."""
    newest = _readings(account).first()
    if newest is None:
        return None
    points = history.points(account.wallet_id, "hour", since=newest.as_of - DRAWN, until=newest.as_of)
    own = [point for point in points if point.snapshot.provider == account.provider]
    there = [(point.snapshot.as_of, currencies.floor(point.snapshot.total, account.currency)) for point in own]
    books = [(point.snapshot.as_of, point.snapshot.ledger_balance) for point in own]
    found = [Curve("At the provider", there), Curve("Our books", books)]
    return curves("The last week of readings", found, account.currency)


def reading_figures(snapshot: BalanceSnapshot) -> list[Figure]:
    """A reading in numbers, the drift foremost."""
    currency = snapshot.currency
    return [
        Figure("At the provider", _exact(snapshot, "total")),
        Figure("Our books", cells.money(snapshot.ledger_balance, currency)),
        Figure("Payouts in flight", cells.money(snapshot.in_flight, currency)),
        Figure("Drift", cells.money(snapshot.drift, currency), strong=True),
    ]


def reading_row(snapshot: BalanceSnapshot) -> tuple[Any, ...]:
    """One reading among others."""
    amounts = (snapshot.ledger_balance, snapshot.in_flight, snapshot.drift)
    when = cells.link("wallets_balancesnapshot", snapshot.pk, cells.moment(snapshot.as_of))
    exact = (_exact(snapshot, name) for name in ("balance", "total"))
    return (when, *exact, *(cells.money(amount, snapshot.currency) for amount in amounts))


def alert_row(alert: DriftAlert) -> tuple[Any, ...]:
    """One alert among others."""
    when = cells.link("wallets_driftalert", alert.pk, cells.moment(alert.opened_at))
    amounts = (cells.money(amount, alert.currency) for amount in (alert.drift, alert.latest_drift))
    return (when, *amounts, cells.moment(alert.closed_at) if alert.closed_at else cells.label("Open", "danger"))


def _readings(account: ProviderAccount) -> QuerySet[BalanceSnapshot]:
    """An account's readings, newest first."""
    return BalanceSnapshot.objects.filter(wallet_id=account.wallet_id, provider=account.provider).order_by("-pk")


def _exact(snapshot: BalanceSnapshot, name: str) -> Any:
    """An amount that is kept exact, in whole minor units."""
    return cells.money(currencies.floor(getattr(snapshot, name), snapshot.currency), snapshot.currency)
