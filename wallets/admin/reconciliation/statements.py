"""Statements that were imported, and the button that leads to uploading one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from wallets.admin import words
from wallets.admin.deeds import button, permission
from wallets.admin.reconciliation import runs, upload
from wallets.admin.reconciliation.lines import found_as
from wallets.admin.reconciliation.sides import line_name
from wallets.models import ReconciledAccount, Reconciliation, Statement, StatementLine

PAGE = "wallets_statement"
FIRST = 100
LINES = (
    Column("Line", number=True), Column("Day"), Column("Reference"), Column("State"), Column("Found as"),
    Column("Fee", number=True), Column("Amount", number=True),
)  # fmt: skip
STATEMENTS = (
    Column("File"), Column("From"), Column("Through"), Column("Lines", number=True), Column("New", number=True),
    Column("Closing balance", number=True), Column("Imported"),
)  # fmt: skip


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    list_display = (
        "file_name", "account", "first_day", "last_day", "lines_shown", "new_lines_shown", "imported_at",
    )  # fmt: skip
    list_filter: ClassVar[Sequence[Any]] = (("account", RelatedDropdownFilter), ("imported_at", PeriodFilter))
    list_select_related = ("account",)
    ordering = ("-id",)
    search_ids = ("id", "account")
    search_help_text = "ID of the statement or of the account"
    empty = "No statement was imported yet. Upload one, or let manage.py import_statement do it each night."
    actions_list = ("upload",)
    actions_detail = ("reconcile",)
    fieldsets = (
        (None, {"fields": (
            ("file_name", "account_shown"), ("format", "mapping"), ("first_day", "last_day"),
            ("imported_by_shown", "imported_at"), "fingerprint", "audit", "whole_id",
        )}),
    )  # fmt: skip

    has_reconcile_permission = permission("wallets.reconcile")

    @action(description="Upload a statement", url_path="upload", permissions=("reconcile",), icon="upload_file")
    def upload(self, request: HttpRequest) -> HttpResponse:
        return upload.page(request, self.admin_site.each_context(request) | {"opts": self.opts})

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A button while nobody has reconciled since it was imported."""
        found = Statement.objects.filter(pk=object_id).first()
        if found is None or _reconciled_since(found):
            return []
        return super().get_actions_detail(request, object_id)

    @button(
        "Reconcile now", "What is open on both sides is matched, through the last day that a statement covers.",
        needs="reconcile", icon="sync", variant=ActionVariant.PRIMARY, form=BaseDialogForm,
    )  # fmt: skip
    def reconcile(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        account = Statement.objects.select_related("account").get(pk=object_id).account
        return runs.reconcile(account, request, PAGE, object_id)

    @display(description="account")
    def account_shown(self, statement: Statement) -> str:
        return cells.link("wallets_reconciledaccount", statement.account_id, statement.account)

    @display(description="from")
    def first_day(self, statement: Statement) -> str:
        return cells.day(statement.first_on)

    @display(description="through")
    def last_day(self, statement: Statement) -> str:
        return cells.day(statement.last_on)

    @display(description="lines")
    def lines_shown(self, statement: Statement) -> str:
        return cells.number(statement.lines)

    @display(description="new lines")
    def new_lines_shown(self, statement: Statement) -> str:
        return cells.number(statement.new_lines)

    @display(description="imported by")
    def imported_by_shown(self, statement: Statement) -> str:
        return words.caller_link(statement.imported_by)

    @display(description="SHA-256 of the file")
    def fingerprint(self, statement: Statement) -> str:
        return bytes(statement.digest).hex()

    @display(description="audit")
    def audit(self, statement: Statement) -> str:
        return words.audit_link("statement", statement.pk)

    def figures(self, statement: Statement, now: datetime) -> list[Figure]:
        currency = statement.account.currency
        return [
            Figure("Opening balance", runs.told(statement.opening_balance, currency)),
            Figure("Closing balance", runs.told(statement.closing_balance, currency), strong=True),
            Figure("Lines", f"{statement.lines:,}"), Figure("New among them", f"{statement.new_lines:,}"),
        ]  # fmt: skip

    def tables(self, statement: Statement, now: datetime) -> list[Table]:
        found = list(StatementLine.objects.filter(statement=statement).order_by("id")[:FIRST])
        rows = [row(line, statement.account.currency) for line in found]
        more = cells.rows_link("wallets_statementline", "All its lines", statement__id__exact=statement.pk)
        title = f"Its new lines, the first {FIRST}" if statement.new_lines > FIRST else "Its new lines"
        return [
            Table(title, LINES, rows, "Other statements had told of all its lines before.", more=more if rows else "")
        ]


def _reconciled_since(statement: Statement) -> bool:
    since = Reconciliation.objects.filter(account=statement.account_id, made_at__gte=statement.imported_at)
    return since.exists()


def row(line: StatementLine, currency: str) -> tuple[Any, ...]:
    """A line among the others of its file."""
    return (
        f"{line.number:,}", cells.link("wallets_statementline", line.pk, cells.day(line.booked_on)), line_name(line),
        words.state(line.status), found_as(line), cells.money(line.fee, currency) if line.fee else "",
        cells.money(line.amount, currency),
    )  # fmt: skip


def newest(account: ReconciledAccount, limit: int) -> Table:
    """An account's newest statements."""
    rows = [
        (cells.link(PAGE, one.pk, one.file_name), cells.day(one.first_on), cells.day(one.last_on), f"{one.lines:,}",
         f"{one.new_lines:,}", runs.told(one.closing_balance, account.currency), cells.moment(one.imported_at))
        for one in Statement.objects.filter(account=account).order_by("-id")[:limit]
    ]  # fmt: skip
    more = cells.rows_link(PAGE, "All statements", account__id__exact=account.pk) if rows else ""
    return Table("Newest statements", STATEMENTS, rows, "None was imported yet.", more=more)
