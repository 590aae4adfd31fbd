"""The first page of the back office: what waits for people, the state of the money, and the state of the machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Min, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from backoffice import cells
from backoffice.charts import Bar, Chart, bars
from backoffice.tables import Column, Figure, Table
from ledger.reports.daily import DayMovement, daily
from walletproject import machine
from wallets.admin import words
from wallets.admin.totals import Total, totals
from wallets.models import (
    Break,
    DriftAlert,
    PayoutPause,
    Proposal,
    ProviderCircuit,
    Transfer,
    UnmatchedReceipt,
    WebhookEvent,
    Withdrawal,
)
from wallets.reports.payouts import OPEN
from wallets.reports.safeguarding import told

DAYS = 30
# A longer list is told as this long, so that counting stays cheap.
MOST = 1_000
CHARTS = 3
CLEARING = "assets:clearing"
MONEY = (
    Column("Currency"), Column("Owed to customers", number=True), Column("Unmatched", number=True),
    Column("Held, by our books", number=True), Column("Held, by their word", number=True),
    Column("Difference", number=True), Column("In today", number=True), Column("Out today", number=True),
)  # fmt: skip
STATES = (Column("Withdrawals"), Column("How many", number=True), Column("Oldest since"))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows that wait for people, and the list of them."""

    title: str
    model: str
    rows: Callable[[datetime], QuerySet]
    query: dict[str, str]


# One line for each.
WAITING = (
    Waiting("Proposals to decide", "wallets.proposal",
            lambda now: Proposal.objects.filter(status="open", expires_at__gt=now), {"status": "open"}),
    Waiting("Withdrawals to approve", "wallets.withdrawal",
            lambda now: Withdrawal.objects.filter(status="awaiting_approval"), {"status": "awaiting_approval"}),
    Waiting("Withdrawals in review", "wallets.withdrawal",
            lambda now: Withdrawal.objects.filter(status="in_review"), {"status": "in_review"}),
    Waiting("Unmatched receipts", "wallets.unmatchedreceipt",
            lambda now: UnmatchedReceipt.objects.filter(assigned_at=None), {"assigned": "no"}),
    Waiting("Drift alerts", "wallets.driftalert",
            lambda now: DriftAlert.objects.filter(closed_at=None), {"open": "yes"}),
    Waiting("Breaks", "wallets.break", lambda now: Break.objects.filter(state="open"), {"state": "open"}),
    Waiting("Transfers set aside", "wallets.transfer",
            lambda now: Transfer.objects.filter(status="set_aside"), {"status": "set_aside"}),
    Waiting("Webhooks given up", "wallets.webhookevent",
            lambda now: WebhookEvent.objects.filter(state="dead", next_at=None), {"state": "dead"}),
    Waiting("Payouts paused", "wallets.payoutpause", lambda now: PayoutPause.objects.all(), {}),
    Waiting("Circuits open", "wallets.providercircuit",
            lambda now: ProviderCircuit.objects.exclude(opened_at=None), {}),
)  # fmt: skip


def dashboard(request: HttpRequest, may_view: Callable[[HttpRequest, str], bool]) -> dict[str, Any]:
    """What this person may see of it all."""
    now = timezone.now()
    figures = [figure for waiting in WAITING if may_view(request, waiting.model) and (figure := _waiting(waiting, now))]
    charts: list[Chart] = []
    tables: list[Table] = []
    if may_view(request, "ledger.account"):
        today = now.astimezone(UTC).date()
        moved = daily(since=today - timedelta(days=DAYS - 1), until=today, below=(CLEARING,))
        tables.append(_money(moved, now))
        charts = list(_charts(moved, today))
    if may_view(request, "wallets.withdrawal"):
        tables.append(_withdrawals())
    tables.append(machine.state(now))
    return {"figures": figures, "charts": charts, "tables": tables[:1], "more": tables[1:]}


def _waiting(waiting: Waiting, now: datetime) -> Figure | None:
    """How many wait; nothing where none does and nobody need know."""
    count = waiting.rows(now).order_by()[:MOST].count()
    if not count:
        return None
    number = f"{count:,}" if count < MOST else f"{MOST:,} and more"
    app, _, name = waiting.model.partition(".")
    return Figure(
        waiting.title, number, strong=True, link=reverse(f"admin:{app}_{name}_changelist", query=waiting.query)
    )


def _money(moved: Sequence[DayMovement], now: datetime) -> Table:
    """What customers are owed against what providers hold, by currency, each figure with its rows."""
    today = now.astimezone(UTC).date()
    rows = [_money_row(total, [line for line in moved if line.day == today], now) for total in totals()]
    more = cells.link_to("admin:report", "Safeguarding", "safeguarding")
    return Table("Money by currency", MONEY, rows, empty="No wallet has been opened yet.", more=more)


def _money_row(total: Total, today: Sequence[DayMovement], now: datetime) -> tuple[Any, ...]:
    currency = total.currency
    there = told(currency, now)
    difference = (total.held if there is None else there) - total.owed - total.unmatched
    came = sum(line.debits for line in today if line.currency == currency)
    went = sum(line.credits for line in today if line.currency == currency)

    def money(amount: int | None, **query: str) -> Any:
        if amount is None:
            return cells.NOTHING
        shown = cells.amount(amount, currency)
        return cells.rows_link(query.pop("model"), shown, **query) if query else shown

    return (
        currency,
        money(total.owed, model="wallets_wallet", currency__exact=currency),
        money(total.unmatched, model="wallets_unmatchedreceipt", assigned="no"),
        money(total.held, model="ledger_account", q=f"{CLEARING}:"),
        money(there, model="wallets_balancesnapshot"),
        money(difference), money(came), money(went),
    )  # fmt: skip


def _charts(moved: Sequence[DayMovement], today: date) -> Iterator[Chart]:
    """The month in bars, of the currencies that moved most often."""
    currencies = sorted({line.currency for line in moved}, key=lambda name: -sum(one.currency == name for one in moved))
    days = [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    for currency in currencies[:CHARTS]:
        of = {line.day: line for line in moved if line.currency == currency}
        found = [Bar(f"{day:%-d %b}", of[day].debits, of[day].credits) if day in of else Bar(f"{day:%-d %b}", 0, 0)
                 for day in days]  # fmt: skip
        chart = bars(f"{currency} in and out, {DAYS} days", found, currency, up="In", down="Out")
        if chart:
            yield chart


def _withdrawals() -> Table:
    """Withdrawals that haven't ended, by state, with the oldest that waits."""
    rows = []
    for status in OPEN:
        found = Withdrawal.objects.filter(status=status)
        count = found.order_by()[:MOST].count()
        oldest = found.aggregate(oldest=Min("created_at"))["oldest"] if count else None
        number = f"{count:,}" if count < MOST else f"{MOST:,} and more"
        state = cells.rows_link("wallets_withdrawal", words.state(status), status=status)
        rows.append((state, number, cells.moment(oldest)))
    return Table(
        "Withdrawals under way", STATES, rows, more=cells.link_to("admin:report", "By age", "aged-withdrawals")
    )
