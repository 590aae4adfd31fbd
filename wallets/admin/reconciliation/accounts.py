"""The clearing accounts under reconciliation: how far each is matched, what is open, and why the balances differ."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from backoffice import cells
from backoffice.charts import Chart, Curve, curves
from backoffice.pages import ReadOnlyAdmin
from backoffice.tables import Figure, Table
from wallets.admin.deeds import button, permission
from wallets.admin.reconciliation import runs, statements
from wallets.models import Break, ReconciledAccount, Reconciliation, Statement
from wallets.reconciliation import accounts, balances, worklist

PAGE = "wallets_reconciledaccount"
NEWEST = 10
# What is told of an account's last run.
RUN = ("made_at", "until", "ledger_balance", "statement_balance", "unexplained")
# Runs from which the curve is drawn.
DRAWN = 200


@admin.register(ReconciledAccount)
class ReconciledAccountAdmin(ReadOnlyAdmin):
    list_display = (
        "__str__", "state", "open_shown", "last_run", "through", "difference_shown", "unexplained_shown",
    )  # fmt: skip
    ordering = ("-id",)
    search_texts = ("provider",)
    search_help_text = "ID of the account, or the provider"
    actions_detail = ("reconcile", "upload")
    tables_first = True
    empty = "Nothing is reconciled yet. An account appears here with its first statement."
    fieldsets = (
        (None, {"fields": (
            ("provider", "currency"), ("since", "grace_days"), "external_account", ("books", "created_at"),
            "related", "whole_id",
        )}),
    )  # fmt: skip

    has_reconcile_permission = permission("wallets.reconcile")

    @button(
        "Reconcile", "What is open on both sides is matched, through the last day that a statement covers.",
        needs="reconcile", icon="sync", form=BaseDialogForm,
    )  # fmt: skip
    def reconcile(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return runs.reconcile(ReconciledAccount.objects.get(pk=object_id), request, PAGE, object_id)

    @action(description="Upload a statement", url_path="upload", permissions=("view", "reconcile"), icon="upload_file")
    def upload(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = ReconciledAccount.objects.get(pk=object_id)
        return HttpResponseRedirect(reverse("admin:wallets_statement_upload", query={"account": str(account)}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReconciledAccount]:
        """Each with its newest run and statement: there are as many accounts as providers have currencies."""
        last = Reconciliation.objects.filter(account=OuterRef("pk")).order_by("-id")
        newest = Statement.objects.filter(account=OuterRef("pk"))
        open_ones = Break.objects.filter(account=OuterRef("pk"), state=Break.State.OPEN).order_by().values("account")
        return super().get_queryset(request).annotate(
            open_breaks=Coalesce(Subquery(open_ones.annotate(count=Count("pk")).values("count")), 0),
            **{f"run_{name}": Subquery(last.values(name)[:1]) for name in RUN},
            imported_at=Subquery(newest.order_by("-id").values("imported_at")[:1]),
        )  # fmt: skip

    @display(description="state")
    def state(self, account: Any) -> str:
        if account.run_made_at is None:
            return cells.label("Not reconciled yet", "warning")
        if account.imported_at and account.imported_at > account.run_made_at:
            return cells.label("New statement", "info")
        if account.open_breaks or account.run_unexplained:
            return cells.label("Something is open", "warning")
        return cells.label("Explained", "success")

    @display(description="through")
    def through(self, account: Any) -> str:
        return cells.day(account.run_until)

    @display(description="open breaks")
    def open_shown(self, account: Any) -> str:
        return cells.number(account.open_breaks)

    @display(description="difference then")
    def difference_shown(self, account: Any) -> str:
        if account.run_statement_balance is None:
            return cells.NOTHING
        return cells.money(account.run_ledger_balance - account.run_statement_balance, account.currency)

    @display(description="unexplained then")
    def unexplained_shown(self, account: Any) -> str:
        unexplained = account.run_unexplained
        return cells.NOTHING if unexplained is None else cells.money(unexplained, account.currency)

    @display(description="last run")
    def last_run(self, account: Any) -> str:
        return cells.moment(account.run_made_at)

    @display(description="in the books")
    def books(self, account: ReconciledAccount) -> str:
        found = accounts.ledger_account(account)
        return cells.link("ledger_account", found, f"{accounts.CLEARING}{account}")

    @display(description="see also")
    def related(self, account: ReconciledAccount) -> str:
        open_breaks = cells.rows_link("wallets_break", "Open breaks", account__id__exact=account.pk)
        lists = (("wallets_match", "Matches"), ("wallets_statement", "Statements"))
        links = [cells.rows_link(model, text, account__id__exact=account.pk) for model, text in lists]
        return cells.row_of([open_breaks, *links])

    def figures(self, account: Any, now: datetime) -> list[Figure]:
        explained = self._explained(account)
        return runs.figures(explained, account.currency) if explained else []

    def charts(self, account: Any, now: datetime) -> list[Chart]:
        chart = over_time(account)
        return [chart] if chart else []

    def tables(self, account: Any, now: datetime) -> list[Table]:
        explained = self._explained(account)
        told = [runs.explanation(explained, account.currency, account.run_until)] if explained else []
        found = runs.kinds("Open breaks", worklist.open_by_kind(account), account)
        return [*told, found, statements.newest(account, NEWEST), runs.newest(account, NEWEST)]

    def _explained(self, account: Any) -> balances.Explained | None:
        """As of the last run's day, with what people have resolved since. A page asks for it twice."""
        if account.run_until is None:
            return None
        if not hasattr(account, "explained"):
            account.explained = balances.explain(account, account.run_until)
        return account.explained


def over_time(account: ReconciledAccount) -> Chart | None:
    """By how much the balances differed, day by day, as far as runs have told."""
    told = Reconciliation.objects.filter(account=account, statement_balance__isnull=False).order_by("-id")[:DRAWN]
    # Of several runs through one day the newest knows best.
    by_day = {run.until: balances.explained_by(run) for run in reversed(told)}
    if len(by_day) < 2:
        return None
    days = sorted(by_day)
    found = [
        Curve("Ours less theirs", [(day, by_day[day].ledger - (by_day[day].statement or 0)) for day in days]),
        Curve("Unexplained", [(day, by_day[day].unexplained or 0) for day in days]),
    ]
    return curves("Difference of the balances over time", found, account.currency)
