"""Reconciliations: what each run matched and left, why the balances differ, and the button that makes one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from users.models import User
from wallets.admin import words
from wallets.admin.deeds import show
from wallets.models import Break, ReconciledAccount, Reconciliation
from wallets.opening import InvalidState
from wallets.reconciliation import balances, run
from wallets.reconciliation.balances import Explained
from wallets.reconciliation.run import NothingToReconcile

# What a page does while somebody waits; a command does more.
LARGEST = 100_000
OUTCOMES = (
    Column("Rule"), Column("Matches", number=True), Column("Their lines", number=True),
    Column("Our transactions", number=True), Column("Difference", number=True),
)  # fmt: skip
KINDS = (
    Column("Kind"), Column("Breaks", number=True), Column("Theirs", number=True), Column("Ours", number=True),
    Column("Difference", number=True),
)  # fmt: skip
RUNS = (
    Column("Run"), Column("Through"), Column("Lines matched", number=True), Column("Breaks opened", number=True),
    Column("Unexplained", number=True),
)  # fmt: skip


def reconcile(account: ReconciledAccount, request: HttpRequest, page: str, id: str) -> HttpResponse:
    """Reconcile an account and show the run, or say on the page why it can't be done now."""
    if run.work(account) > LARGEST:
        told = f"There is too much to match while you wait: manage.py reconcile_provider {account.provider} does it."
        messages.error(request, told)
        return show(page, id)
    try:
        made = run.reconcile(account, by=cast(User, request.user), now=timezone.now())
    except (NothingToReconcile, InvalidState) as refusal:
        messages.error(request, str(refusal))
        return show(page, id)
    matched, opened = cells.counted(made.matched_lines, "line"), cells.counted(made.opened, "break")
    messages.success(request, f"{matched} matched, {opened} opened.")
    return show("wallets_reconciliation", str(made.pk))


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    list_display = (
        "made_at", "account", "until_shown", "matched_shown", "opened_shown", "difference_shown",
        "unexplained_shown",
    )  # fmt: skip
    list_filter: ClassVar[Sequence[Any]] = (("account", RelatedDropdownFilter), ("made_at", PeriodFilter))
    list_select_related = ("account",)
    ordering = ("-id",)
    search_ids = ("id", "account")
    search_help_text = "ID of the run or of the account"
    tables_first = True
    empty = "No account was reconciled yet. Upload a statement, and press “Reconcile now” on its page."
    fieldsets = (
        (None, {"fields": (
            "account_shown", ("since_shown", "until_shown"), ("lines", "items"), ("matched_lines", "matched_items"),
            ("opened", "resolved"), ("made_by_shown", "made_at"), "audit", "whole_id",
        )}),
    )  # fmt: skip

    @display(description="account")
    def account_shown(self, found: Reconciliation) -> str:
        return cells.link("wallets_reconciledaccount", found.account_id, found.account)

    @display(description="from")
    def since_shown(self, found: Reconciliation) -> str:
        return cells.day(found.since or found.account.since)

    @display(description="through")
    def until_shown(self, found: Reconciliation) -> str:
        return cells.day(found.until)

    @display(description="lines matched")
    def matched_shown(self, found: Reconciliation) -> str:
        return cells.number(found.matched_lines)

    @display(description="breaks opened")
    def opened_shown(self, found: Reconciliation) -> str:
        return cells.number(found.opened)

    @display(description="difference")
    def difference_shown(self, found: Reconciliation) -> str:
        return told(difference(balances.explained_by(found)), found.account.currency)

    @display(description="unexplained")
    def unexplained_shown(self, found: Reconciliation) -> str:
        return told(found.unexplained, found.account.currency)

    @display(description="made by")
    def made_by_shown(self, found: Reconciliation) -> str:
        return words.caller_link(found.made_by)

    @display(description="audit")
    def audit(self, found: Reconciliation) -> str:
        return words.audit_link("reconciliation", found.pk)

    def figures(self, found: Reconciliation, now: datetime) -> list[Figure]:
        return figures(balances.explained_by(found), found.account.currency)

    def tables(self, found: Reconciliation, now: datetime) -> list[Table]:
        currency = found.account.currency
        outcomes = [
            (outcome["rule"], *(f"{outcome[name]:,}" for name in ("matches", "lines", "items")),
             cells.money(outcome["difference"], currency))
            for outcome in found.outcomes
        ]  # fmt: skip
        return [
            explanation(balances.explained_by(found), currency, found.until),
            Table("What was matched", OUTCOMES, outcomes, empty="Nothing new could be matched."),
            kinds("Breaks that were open then", found.breaks, found.account),
        ]


def figures(explained: Explained, currency: str) -> list[Figure]:
    """The two balances and what lies between them."""
    return [
        Figure("Our books", cells.money(explained.ledger, currency)),
        Figure("Their statement", told(explained.statement, currency)),
        Figure("Difference", told(difference(explained), currency)),
        Figure("Unexplained", told(explained.unexplained, currency), strong=True),
    ]


def explanation(explained: Explained, currency: str, until: Any) -> Table:
    """From their balance to ours, each step with its reason; the steps add up."""
    steps = [
        ("In our books, not on their statement", explained.open_here),
        ("On their statement, not in our books", -explained.open_there),
        ("Matched across the last day", explained.in_transit),
        ("Differences tolerated or accepted", explained.accepted),
        ("Unexplained", explained.unexplained),
    ]
    rows = [("Their balance", told(explained.statement, currency))]
    rows += [(says, told(amount, currency)) for says, amount in steps]
    return Table(
        f"From their balance to ours, {cells.day(until)}", (Column("What"), Column("Amount", number=True)), rows,
        total=[("Our balance", cells.money(explained.ledger, currency))],
    )  # fmt: skip


def kinds(title: str, found: dict[str, dict[str, int]], account: ReconciledAccount) -> Table:
    """Open breaks by kind, with what theirs and ours of them sum to, and links to them."""
    rows = [
        (breaks_link(kind, account), f"{sums['count']:,}", *_sides(sums, account.currency))
        for kind, sums in sorted(found.items())
    ]
    total = {name: sum(sums[name] for sums in found.values()) for name in ("count", "theirs", "ours")}
    foot = [("Total", f"{total['count']:,}", *_sides(total, account.currency))] if len(rows) > 1 else []
    more = cells.rows_link("wallets_break", "All of them", account__id__exact=account.pk) if rows else ""
    return Table(title, KINDS, rows, "There is none.", foot, more)


def breaks_link(kind: str, account: ReconciledAccount) -> str:
    """A kind of break in words, with a link to the open ones of an account."""
    label = Break.Kind(kind).label
    return cells.rows_link("wallets_break", label, account__id__exact=account.pk, kind__exact=kind)


def newest(account: ReconciledAccount, limit: int) -> Table:
    """An account's newest runs."""
    found = list(Reconciliation.objects.filter(account=account).order_by("-id")[:limit])
    rows = [
        (cells.link("wallets_reconciliation", one.pk, cells.moment(one.made_at)), cells.day(one.until),
         f"{one.matched_lines:,}", f"{one.opened:,}", told(one.unexplained, account.currency))
        for one in found
    ]  # fmt: skip
    more = cells.rows_link("wallets_reconciliation", "All runs", account__id__exact=account.pk) if rows else ""
    return Table("Newest runs", RUNS, rows, "It hasn’t been reconciled yet.", more=more)


def difference(explained: Explained) -> int | None:
    """Ours less theirs; None where they state none."""
    return None if explained.statement is None else explained.ledger - explained.statement


def told(amount: int | None, currency: str) -> str:
    """An amount that depends on a balance which no statement may have."""
    return "not stated" if amount is None else cells.money(amount, currency)


def _sides(sums: dict[str, int], currency: str) -> Sequence[str]:
    amounts = (sums["theirs"], sums["ours"], sums["ours"] - sums["theirs"])
    return [cells.money(amount, currency) for amount in amounts]


def account_of(id: Any) -> ReconciledAccount | None:
    """An account by the id in a page's address."""
    return ReconciledAccount.objects.filter(pk=UUID(str(id))).first()
