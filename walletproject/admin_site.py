"""The back office's site: its navigation, its first page, and what Django's own admin has that ours hasn't."""

from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib.admin import site
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

# Each group of the navigation: title, icon and model.
GROUPS = {
    "Customers": (
        ("Users", "person", "users.user"),
        ("Wallets", "account_balance_wallet", "wallets.wallet"),
        ("Bank accounts", "account_balance", "wallets.bankaccount"),
    ),
    "Money": (
        ("Deposits", "south_west", "wallets.deposit"),
        ("Transfers", "swap_horiz", "wallets.transfer"),
        ("Top-ups", "add_card", "wallets.topup"),
        ("Withdrawals", "north_east", "wallets.withdrawal"),
        ("Unmatched receipts", "help_center", "wallets.unmatchedreceipt"),
        ("Webhooks", "webhook", "wallets.webhookevent"),
    ),
    "Usage": (
        ("Wallets that use", "data_usage", "wallets.usageaccount"),
        ("Meters", "speed", "wallets.meter"),
        ("Prices", "sell", "wallets.meterprice"),
        ("Settlements", "paid", "wallets.usagesettlement"),
        ("Quarantine", "report", "wallets.quarantinedevent"),
        ("Recalculations", "calculate", "wallets.usagerecalculation"),
        ("Differences", "difference", "wallets.usagedifference"),
        ("Low balances", "notifications_active", "wallets.usagealert"),
        ("Automatic top-ups", "autorenew", "wallets.automatictopup"),
        ("Accuracy", "query_stats", "wallets.view_usageaccount"),
        ("Streams", "stream", "wallets.view_kafkaoffset"),
    ),
    "Two people": (
        ("Proposals", "how_to_vote", "wallets.proposal"),
        ("Journal templates", "edit_note", "wallets.journaltemplate"),
    ),
    "Reconciliation": (
        ("Breaks", "rule", "wallets.break"),
        ("Reconciled accounts", "balance", "wallets.reconciledaccount"),
        ("Provider statements", "upload_file", "wallets.statement"),
        ("Statement lines", "list_alt", "wallets.statementline"),
        ("Matches", "done_all", "wallets.match"),
        ("Runs", "sync", "wallets.reconciliation"),
        ("Matching rules", "join_inner", "wallets.matchrule"),
        ("Column mappings", "view_column", "wallets.columnmapping"),
    ),
    "Providers": (
        ("Linked accounts", "link", "wallets.provideraccount"),
        ("Balance snapshots", "photo_camera", "wallets.balancesnapshot"),
        ("Drift alerts", "warning", "wallets.driftalert"),
    ),
    "Paying out": (
        ("Fees", "percent", "wallets.feerule"),
        ("Limits", "speed", "wallets.withdrawallimit"),
        ("Approval rules", "how_to_reg", "wallets.approvalrule"),
        ("Pauses", "pause_circle", "wallets.payoutpause"),
        ("Circuits", "electric_bolt", "wallets.providercircuit"),
    ),
    "Books": (
        ("Accounts", "account_tree", "ledger.account"),
        ("Transactions", "receipt_long", "ledger.transaction"),
        ("Holds", "lock_clock", "ledger.hold"),
        ("Closed days", "lock", "ledger.seal"),
        ("Proofs", "verified", "ledger.verification"),
        ("Backups", "backup", "wallets.backup"),
    ),
    "Reports": (
        ("Reports", "summarize", "wallets.run_report"),
        ("Downloads", "download", "wallets.export"),
    ),
    "Access": (
        ("API clients", "key", "users.apiclient"),
        ("Audit trail", "fact_check", "users.auditevent"),
    ),
}


class BackOfficeConfig(AdminConfig):
    """Django's admin with our site in place of its own."""

    default_site = "walletproject.admin_site.BackOffice"


class BackOffice(UnfoldAdminSite):
    """To look at, but for the rules of paying out and the buttons on a withdrawal."""

    site_title = site_header = "walletproject"
    index_title = "Overview"

    def has_permission(self, request: HttpRequest) -> bool:
        from walletproject.staff_login import is_through

        return super().has_permission(request) and is_through(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The password's page, or for whoever has given it the second factor's."""
        if super().has_permission(request) and not self.has_permission(request):
            wanted = request.GET.get("next", reverse("admin:index"))
            return HttpResponseRedirect(reverse("admin:second_factor", query={"next": wanted}))
        return super().login(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Django's own list of all models, made when it is looked at: no page does where there is our sidebar."""
        made: Any = SimpleLazyObject(partial(super().get_app_list, request, app_label))
        return made

    def extra_urls(self) -> list[URLPattern]:
        """Beside the pages of models."""
        return [
            path("second-factor/", self.second_factor, name="second_factor"),
            path("reports/", self.admin_view(self.reports), name="reports"),
            path("reports/<slug:slug>/", self.admin_view(self.report), name="report"),
            path("usage/accuracy/", self.admin_view(self.usage_accuracy), name="usage_accuracy"),
            path("usage/streams/", self.admin_view(self.usage_streams), name="usage_streams"),
            path("downloads/<uuid:id>/", self.admin_view(self.download), name="download"),
        ]

    def reports(self, request: HttpRequest) -> HttpResponse:
        from wallets.admin import reports

        return reports.index(request, self.each_context(request))

    def report(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        from wallets.admin import reports

        return reports.page(request, slug, self.each_context(request))

    def usage_accuracy(self, request: HttpRequest) -> HttpResponse:
        from wallets.admin.usage import accuracy

        return accuracy.page(request, self.each_context(request))

    def usage_streams(self, request: HttpRequest) -> HttpResponse:
        from wallets.admin.usage import streams

        return streams.page(request, self.each_context(request))

    def download(self, request: HttpRequest, id: UUID) -> HttpResponseBase:
        from wallets.admin import reports

        return reports.download(request, id)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What the one box finds, asked anew each time: a payment that wasn't there a minute ago may be there now."""
        from walletproject.finding import find

        results = Paginator(find(request, request.GET.get("s", "")), 100)
        context = {"results": results.page(1), "page_obj": results, "page_counter": 0}
        return TemplateResponse(
            request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"}
        )

    def second_factor(self, request: HttpRequest) -> HttpResponse:
        from walletproject.staff_login import second_factor_page

        return never_cache(second_factor_page)(request, self.each_context(request))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Refused: it would neither end the person's sessions in the API nor leave a trace in the audit trail."""
        raise PermissionDenied


def favicon(request: HttpRequest) -> str:
    """A wallet, small enough to stand in the page itself."""
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect y="3" width="16" height="11" rx="2"'
        ' fill="#9333ea"/><circle cx="12" cy="8.5" r="1.5" fill="#fff"/></svg>'
    )
    return f"data:image/svg+xml,{quote(drawn)}"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar, without what this person may not look at."""
    overview = {"title": "Overview", "icon": "space_dashboard", "link": reverse("admin:index")}
    groups = [
        {
            "title": title,
            "separator": True,
            "items": [_item(*entry) for entry in entries if may_view(request, entry[2])],
        }
        for title, entries in GROUPS.items()
    ]
    return [{"items": [overview]}, *(group for group in groups if group["items"])]


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows: what waits, the state of the money and of the machine, the newest transactions."""
    from ledger.admin import transactions
    from walletproject.dashboard import dashboard

    shown = dashboard(request, may_view)
    if may_view(request, "ledger.transaction"):
        shown["more"].append(transactions.newest(site, request))
    return context | shown


# Pages that are not a model's, by the permission that they need.
PAGES = {
    "wallets.run_report": "admin:reports", "wallets.view_usageaccount": "admin:usage_accuracy",
    "wallets.view_kafkaoffset": "admin:usage_streams",
}  # fmt: skip


def may_view(request: HttpRequest, model: str) -> bool:
    """Whether this person may look at a model, such as `ledger.account`, or at a page that isn't one's."""
    if model in PAGES:
        return bool(request.user.has_perm(model))
    app, _, name = model.partition(".")
    return bool(request.user.has_perms([f"{app}.view_{name}"]))


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    page = PAGES.get(model, f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": reverse(page)}
