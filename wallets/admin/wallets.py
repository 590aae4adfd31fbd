"""Wallets: whose, what is in them, and what happened there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.charts import Chart, Curve, curves
from backoffice.forms import MoneyField, minor
from backoffice.pages import ReadOnlyAdmin
from backoffice.tables import Column, Figure, Table
from ledger import balances, history
from ledger.accounts import floor_of
from ledger.admin import accounts
from ledger.balances import Standing, standings
from ledger.history import Filter
from wallets.admin import reports, words
from wallets.admin.deeds import ReasonForm, button, permission, propose, way
from wallets.admin.proposals import about
from wallets.chart import wallet_of
from wallets.models import Wallet, WithdrawalLimit
from wallets.proposals.wallets import CreditLimit, Freeze
from wallets.withdrawals import rules

NEWEST = 25
DRAWN, STEPS = timedelta(days=90), 180
BUTTONS = {
    "active": ("statement", "freeze", "set_credit_limit"),
    "frozen": ("statement", "thaw", "set_credit_limit"),
    "closed": ("statement",),
}
HISTORY = (
    Column("When"), Column("Transaction"), Column("Description"), Column("With"), Column("In", number=True),
    Column("Out", number=True), Column("Balance after", number=True),
)  # fmt: skip


PAGE = "wallets_wallet"


class CreditLimitForm(ReasonForm):
    """How much a wallet may be overdrawn by."""

    limit = MoneyField(label="Limit", help_text="In its currency, such as 1,500.00; 0 ends it.")
    asks_first = ("limit",)

    def clean_limit(self) -> int:
        return minor(self.cleaned_data["limit"], Wallet.objects.get(pk=self.object_id).currency)


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    actions_detail = ("statement", "freeze", "thaw", "set_credit_limit")
    list_display = ("title", "short_id", "owner_shown", "currency", "balance_shown", "status_shown", "created_at")
    # Wallets grow with customers, not with payments: these may be filtered without an index.
    list_filter = ("status", "currency", "is_default")
    list_select_related = ("owner",)
    ordering = ("-id",)
    search_ids = ("id", "owner", "account")
    search_texts = ("owner__email",)
    search_help_text = "ID of wallet, owner or account, or the owner’s email"
    fieldsets = (
        (None, {"fields": (
            "whole_id", ("owner", "name"), ("currency", "is_default"), ("status_shown", "created_at"), "account",
            "metadata", "related",
        )}),
    )  # fmt: skip

    has_ask_freeze_permission = permission("wallets.ask_freeze")
    has_ask_credit_limit_permission = permission("wallets.ask_credit_limit")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons that its state allows."""
        status = Wallet.objects.filter(pk=object_id).values_list("status", flat=True).first()
        allowed = {f"{PAGE}_{name}" for name in BUTTONS.get(status or "", ())}
        return [found for found in super().get_actions_detail(request, object_id) if found.action_name in allowed]

    has_report_permission = permission("wallets.run_report")

    @way("Statement", "statement", needs="report", icon="description")
    def statement(self, object_id: str) -> str:
        return reports.address("wallet-statement", timezone.now(), wallet=object_id)

    @button(
        "Freeze", "Nothing may leave it any more.", needs="ask_freeze", icon="ac_unit", variant=ActionVariant.DANGER
    )
    def freeze(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(Freeze(UUID(object_id), True), request, form, PAGE, object_id)

    @button("Lift the freeze", "Money may leave it again.", needs="ask_freeze", icon="lock_open")
    def thaw(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(Freeze(UUID(object_id), False), request, form, PAGE, object_id)

    @button(
        "Credit limit", "It may be overdrawn by so much.",
        needs="ask_credit_limit", icon="credit_score", form=CreditLimitForm,
    )  # fmt: skip
    def set_credit_limit(self, request: HttpRequest, form: CreditLimitForm, object_id: str) -> HttpResponse:
        return propose(CreditLimit(UUID(object_id), form.cleaned_data["limit"]), request, form, PAGE, object_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wallet]:
        return super().get_queryset(request).select_related("owner").prefetch_related("account__balances")

    def search(self, term: str) -> Q:
        return super().search(term.lower())

    @display(description="wallet")
    def title(self, wallet: Wallet) -> str:
        return wallet.name or "Wallet"

    @display(description="owner")
    def owner_shown(self, wallet: Wallet) -> str:
        return cells.link("users_user", wallet.owner_id, wallet.owner) if wallet.owner else cells.NOTHING

    @display(description="balance")
    def balance_shown(self, wallet: Wallet) -> str:
        return cells.money(sum(lane.sign * lane.balance for lane in wallet.account.balances.all()), wallet.currency)

    @display(description="status")
    def status_shown(self, wallet: Wallet) -> str:
        return words.state(wallet.status)

    @display(description="see also")
    def related(self, wallet: Wallet) -> str:
        lists = (
            ("wallets_deposit", "Deposits"), ("wallets_topup", "Top-ups"), ("wallets_withdrawal", "Withdrawals"),
            ("wallets_provideraccount", "Linked accounts"), ("wallets_balancesnapshot", "Balance snapshots"),
        )  # fmt: skip
        links = [cells.rows_link(model, text, wallet__id__exact=wallet.pk) for model, text in lists]
        if hasattr(wallet, "usage"):
            links.append(cells.link("wallets_usageaccount", wallet.pk, "Usage"))
        return cells.row_of([*links, words.audit_link("wallet", wallet.pk)])

    def figures(self, wallet: Wallet, now: datetime) -> list[Figure]:
        return standing_figures(standings([wallet.account_id], now=now)[wallet.account_id])

    def charts(self, wallet: Wallet, now: datetime) -> list[Chart]:
        since = max(now - DRAWN, wallet.created_at)
        moments = [since + (now - since) * step / STEPS for step in range(STEPS + 1)]
        points = balances.curve(wallet.account_id, moments)
        found = curves("Balance over time", [Curve("Balance", points)], wallet.currency)
        return [found] if found else []

    def tables(self, wallet: Wallet, now: datetime) -> list[Table]:
        return [newest(wallet), holds(wallet, now), members(wallet), limits(wallet, now), about("wallet", wallet.pk)]


def standing_figures(standing: Standing) -> list[Figure]:
    """A wallet's balance, what of it is held and pending, and what is left to spend."""
    amounts = {name: getattr(standing, name) for name in ("balance", "held", "pending", "available")}
    return [
        Figure(name.capitalize(), cells.money(amount, standing.currency), strong=name == "available")
        for name, amount in amounts.items()
    ]


def newest(wallet: Wallet) -> Table:
    """What happened in a wallet last, told from its side: a credit is what came in."""
    low, high = history.bounds(wallet.account_id, None, None)
    lines = history.page(wallet.account_id, Filter(), limit=NEWEST, low=low, high=high)
    others = history.counterparties(wallet.account_id, [line.transaction for line in lines])
    names = named([id for codes in others.values() for id in map(wallet_of, codes) if id])
    rows = [
        (cells.moment(line.posted_at), cells.link("ledger_transaction", line.transaction, line.kind), line.description,
         partner(others.get(line.transaction, ()), names), *in_and_out(line.amount, wallet.currency),
         cells.money(-line.balance, wallet.currency))
        for line in lines
    ]  # fmt: skip
    more = cells.link("ledger_account", wallet.account_id, f"{high:,} in the books") if rows else ""
    return Table("Recent transactions", HISTORY, rows, more=more)


def in_and_out(amount: int, currency: str) -> tuple[str, str]:
    """An entry's amount in its column: a wallet is a liability, so that a credit (negative) is money in."""
    shown = cells.money(abs(amount), currency)
    return (shown, "") if amount < 0 else ("", shown)


def named(ids: Sequence[UUID]) -> dict[UUID, str]:
    """What to call each of some wallets."""
    return {
        wallet.pk: words.wallet_name(wallet) for wallet in Wallet.objects.filter(pk__in=ids).select_related("owner")
    }


def owners(codes: Sequence[str]) -> dict[str, str]:
    """Whose the wallets among some accounts are, with links to them."""
    ids = {code: id for code in codes if (id := wallet_of(code))}
    names = named(list(ids.values()))
    return {code: words.wallet_link(id, names.get(id)) for code, id in ids.items()}


accounts.namers.append(owners)


def partner(codes: Sequence[str], names: dict[UUID, str]) -> str:
    """The first account on the other side: a wallet by its owner, an internal account by its code."""
    if not codes:
        return cells.NOTHING
    id = wallet_of(codes[0])
    return words.wallet_link(id, names.get(id)) if id else cells.abridged(codes[0])


def members(wallet: Wallet) -> Table:
    """Who may look at a wallet, spend from it, or manage it."""
    found = wallet.members.select_related("user").order_by("created_at")
    rows = [
        (cells.link("users_user", member.user_id, member.user), member.user.full_name, cells.label(member.role),
         cells.moment(member.created_at))
        for member in found
    ]  # fmt: skip
    columns = (Column("Person"), Column("Name"), Column("Role"), Column("Since"))
    return Table("Members", columns, rows, empty="Nobody but services reaches this wallet.")


def holds(wallet: Wallet, now: datetime) -> Table:
    """What binds a wallet's money now, and until when."""
    found = wallet.account.holds.filter(Q(expires_at=None) | Q(expires_at__gt=now), status="open").order_by("id")
    rows = [
        (cells.link("ledger_hold", hold.pk, cells.abridged(hold.reference)), hold.get_kind_display(),
         cells.moment(hold.placed_at), cells.moment(hold.expires_at), cells.money(hold.amount, wallet.currency))
        for hold in found[:NEWEST]
    ]  # fmt: skip
    columns = (Column("Hold"), Column("Kind"), Column("Since"), Column("Until"), Column("Amount", number=True))
    return Table("Set aside", columns, rows, empty="Nothing is held or pending.")


def limits(wallet: Wallet, now: datetime) -> Table:
    """How much may be withdrawn, how much of it was today, and how much the wallet may be overdrawn."""
    used = rules.used(wallet.pk, now=now)
    rows: list[tuple[Any, ...]] = [
        (f"{limit.get_scope_display()}, {limit.get_window_display().lower()}",
         cells.money(limit.amount, wallet.currency),
         cells.money(getattr(used, limit.scope), wallet.currency) if limit.window == "day" else cells.NOTHING)
        for limit in WithdrawalLimit.objects.filter(currency=wallet.currency).order_by("scope", "window")
    ]  # fmt: skip
    if credit := -(floor_of(wallet.account_id) or 0):
        rows.append(("Credit limit", cells.money(credit, wallet.currency), cells.NOTHING))
    columns = (Column("Limit"), Column("At most", number=True), Column("Used today", number=True))
    return Table("Limits", columns, rows, empty="None but what is in it.")
