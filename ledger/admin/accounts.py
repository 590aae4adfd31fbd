"""Accounts: the chart, what each stands at, its lanes and its newest entries."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.tables import Column, Figure, Table
from ledger import sql
from ledger.balances import standings
from ledger.models import Account, AccountType, Balance

NEWEST = 25
# Who uses the books may say whose accounts are: each tells it, by their codes, of those that it knows.
namers: list[Callable[[Sequence[str]], Mapping[str, Any]]] = []
ROOTS = ("assets", "liabilities", "equity", "income", "expenses")


class RootFilter(DropdownFilter):
    """Where in the chart an account stands: its code's first word, which the index of codes finds."""

    title = "root of the chart"
    parameter_name = "root"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(root, root.capitalize()) for root in ROOTS]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(code__startswith=f"{self.value()}:") if self.value() in ROOTS else queryset


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("code_shown", "short_id", "type_shown", "currency", "balance_shown", "created_at")
    list_filter = (RootFilter,)
    ordering = ("code",)
    search_texts = ("code__startswith",)
    search_help_text = "ID, or how the code begins"
    fieldsets = (
        (None, {"fields": ("whole_id", "code", ("type_shown", "currency"), ("name", "parent"), "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return super().get_queryset(request).prefetch_related("balances")

    @display(description="code")
    def code_shown(self, account: Account) -> str:
        return cells.abridged(account.code)

    @display(description="type")
    def type_shown(self, account: Account) -> str:
        return cells.label(AccountType(account.type).label)

    @display(description="balance")
    def balance_shown(self, account: Account) -> str:
        return cells.money(sum(lane.sign * lane.balance for lane in account.balances.all()), account.currency)

    def figures(self, account: Account, now: datetime) -> list[Figure]:
        standing = standings([account.pk], now=now).get(account.pk)
        if standing is None:
            return []
        amounts = {name: getattr(standing, name) for name in ("balance", "held", "pending", "available")}
        return [
            Figure(name.capitalize(), cells.money(amount, account.currency), strong=name == "available")
            for name, amount in amounts.items()
        ]

    def tables(self, account: Account, now: datetime) -> list[Table]:
        lanes = sorted(account.balances.all(), key=lambda lane: lane.lane)
        return [newest_entries(account, several=len(lanes) > 1), lanes_of(account, lanes)]


# From the end of each lane, so that a lane's millions of entries aren't looked at.
ENTRIES = """
SELECT e.posted_at, t.id, t.kind, t.reference, t.description, e.amount, e.lane, b.sign * e.balance
FROM ledger_balance b
CROSS JOIN LATERAL (
    SELECT * FROM ledger_entry e WHERE e.account_id = b.account_id AND e.lane = b.lane
    ORDER BY e.version DESC LIMIT %(newest)s
) AS e
JOIN ledger_transaction t ON t.id = e.transaction_id
WHERE b.account_id = %(account)s
ORDER BY e.posted_at DESC, e.version DESC LIMIT %(newest)s
"""


def newest_entries(account: Account, *, several: bool) -> Table:
    """The newest entries of an account, of all its lanes together."""
    found = sql.rows(ENTRIES, {"account": account.pk, "newest": NEWEST})
    rows = [
        (cells.moment(at), cells.link("ledger_transaction", id, cells.abridged(reference)), kind, description,
         *sides(amount, account.currency), *([lane] if several else []), cells.money(after, account.currency))
        for at, id, kind, reference, description, amount, lane, after in found
    ]  # fmt: skip
    lane, after = ([Column("Lane", number=True)], "Lane’s balance after") if several else ([], "Balance after")
    columns = [
        Column("Posted"), Column("Transaction"), Column("Kind"), Column("Description"),
        Column("Debit", number=True), Column("Credit", number=True), *lane, Column(after, number=True),
    ]  # fmt: skip
    return Table(f"Newest entries (at most {NEWEST})", columns, rows)


def lanes_of(account: Account, lanes: list[Balance]) -> Table:
    """What the lanes of an account hold, each on the account's normal side; unused ones are only counted."""
    used = [lane for lane in lanes if lane.version or lane.lane == 0]
    rows = [
        (lane.lane, *(cells.money(amount, account.currency) for amount in (lane.sign * lane.balance, lane.held,
         lane.pending)), cells.NOTHING if lane.floor is None else cells.money(lane.floor, account.currency),
         f"{lane.version:,}", cells.moment(lane.posted_at))
        for lane in used
    ]  # fmt: skip
    columns = [
        Column("Lane"), Column("Balance", number=True), Column("Held", number=True), Column("Pending", number=True),
        Column("Floor", number=True), Column("Entries", number=True), Column("Posted last"),
    ]  # fmt: skip
    unused = len(lanes) - len(used)
    return Table("Lanes", columns, rows, more=f"and {unused} still empty" if unused else "")


def whose(codes: Sequence[str]) -> dict[str, Any]:
    """Whose some accounts are, by their codes, as far as anybody knows."""
    return {code: owner for namer in namers for code, owner in namer(codes).items()}


def sides(amount: int, currency: str) -> tuple[str, str]:
    """An amount in its column, debit or credit, with nothing in the other one."""
    shown = cells.money(abs(amount), currency)
    return (shown, "") if amount > 0 else ("", shown)
