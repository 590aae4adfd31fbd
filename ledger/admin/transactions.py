"""Transactions: what was posted, in debits and credits, and what undid it."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db.models import Max, Min, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Table
from ledger.admin.accounts import sides, whose
from ledger.models import Account, AccountType, Balance, Entry, Transaction

# A transaction can have thousands of legs; a page isn't the place for all of them.
LEGS = 500
COLUMNS = (
    Column("Leg"), Column("Account"), Column("Type"), Column("Debit", number=True), Column("Credit", number=True),
    Column("Balance after", number=True),
)  # fmt: skip


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    list_display = ("posted_at", "short_id", "kind", "reference_shown", "description", "total_shown")
    list_filter = (("posted_at", PeriodFilter),)
    ordering = ("-id",)
    search_ids = ("id", "reverses")
    search_texts = ("reference",)
    search_help_text = "ID, or the whole reference"
    tables_first = True
    fieldsets = (
        (None, {"fields": (
            "whole_id", "reference", ("kind", "description"), ("posted_at", "effective_at"),
            ("reverses", "reversed_by"), "external_reference", "metadata",
        )}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        debits = Entry.objects.filter(transaction=OuterRef("pk"), amount__gt=0).values("transaction")
        return super().get_queryset(request).annotate(
            total=Subquery(debits.annotate(sum=Sum("amount")).values("sum")),
            currency=Subquery(debits.annotate(one=Min("account__currency")).values("one")),
            other_currency=Subquery(debits.annotate(one=Max("account__currency")).values("one")),
        )  # fmt: skip

    @display(description="reference")
    def reference_shown(self, transaction: Transaction) -> str:
        return cells.abridged(transaction.reference)

    @display(description="total")
    def total_shown(self, transaction: Any) -> str:
        """What was debited; sums of several currencies would mean nothing."""
        if transaction.currency != transaction.other_currency:
            return "Several currencies"
        return cells.money(transaction.total, transaction.currency) if transaction.total else cells.NOTHING

    @display(description="reversed by")
    def reversed_by(self, transaction: Transaction) -> str:
        reversal = transaction.reversals.first()
        return cells.link("ledger_transaction", reversal.pk, reversal) if reversal else cells.NOTHING

    def tables(self, transaction: Transaction, now: datetime) -> list[Table]:
        entries = list(transaction.entries.select_related("account").order_by("leg")[:LEGS])
        owners = whose([entry.account.code for entry in entries])
        split = split_accounts(entries)
        rows = [line(entry, owners.get(entry.account.code, ""), entry.account_id in split) for entry in entries]
        return [Table("Entries", COLUMNS, rows, total=totals(entries))]


def split_accounts(entries: list[Entry]) -> set[Any]:
    """The accounts that stand at the sum of several lanes, so that an entry knows of its own lane's balance only."""
    ids = {entry.account_id for entry in entries}
    return set(Balance.objects.filter(account__in=ids, lane__gt=0).values_list("account_id", flat=True))


def line(entry: Entry, owner: Any, split: bool) -> tuple[Any, ...]:
    """An entry as a line of its transaction; whose its account is stands below the account."""
    account: Account = entry.account
    balance = cells.money(AccountType(account.type).sign * entry.balance, account.currency)
    after = cells.lines(f"in lane {entry.lane}:", balance) if split else balance
    named = cells.link("ledger_account", account.pk, cells.abridged(account.code))
    return (
        entry.leg, cells.lines(named, owner) if owner else named, account.get_type_display(),
        *sides(entry.amount, account.currency), after,
    )  # fmt: skip


def totals(entries: list[Entry]) -> list[tuple[Any, ...]]:
    """Debits and credits of each currency, which are equal."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for entry in entries:
        sums[entry.account.currency][entry.amount < 0] += abs(entry.amount)
    return [
        ("", "Total", "", cells.money(debit, currency), cells.money(credit, currency), "")
        for currency, (debit, credit) in sorted(sums.items())
    ]


def newest(site: AdminSite, request: HttpRequest, limit: int = 10) -> Table:
    """The newest transactions of all, for a first page."""
    page: Any = site.get_model_admin(Transaction)
    rows = [
        (cells.moment(found.posted_at), cells.link("ledger_transaction", found.pk, cells.abridged(found.reference)),
         found.description, page.total_shown(found))
        for found in page.get_queryset(request).order_by("-id")[:limit]
    ]  # fmt: skip
    columns = (Column("Posted"), Column("Transaction"), Column("Description"), Column("Total", number=True))
    return Table("Newest transactions", columns, rows, more=cells.rows_link("ledger_transaction", "All transactions"))
