"""The tables of a wallet's usage page."""

from datetime import datetime

from backoffice import cells
from backoffice.tables import Column, Table
from wallets.admin import words
from wallets.admin.usage import shown
from wallets.models import (
    AutomaticTopUp,
    AutomaticTopUpAttempt,
    UsageAlert,
    UsageMonth,
    UsageSettlement,
    UsageThreshold,
    Wallet,
)
from wallets.usage import accuracy as trials
from wallets.usage import thresholds
from wallets.usage.watching import WATCHMAN

NEWEST = 12
WATCHED = (
    Column("Of"), Column("Opens below", number=True), Column("Closes at", number=True), Column("State"),
    Column("Set by"),
)  # fmt: skip
TOP_UP = (
    Column("From"), Column("Below", number=True), Column("By", number=True), Column("At most in a month", number=True),
    Column("State"),
)  # fmt: skip
MONTHS = (
    Column("Month"), Column("Meter"), Column("Price"), Column("Quantity", number=True), Column("Cost", number=True),
    Column("Not settled yet", number=True),
)  # fmt: skip
SETTLEMENTS = (Column("Settled"), Column("For"), Column("Amount", number=True), Column("Billed", number=True))
ACCURACY = (
    Column("Ahead"), Column("Windows", number=True), Column("Within the band", number=True),
    Column("Error without a rate", number=True), Column("Error by the rate", number=True),
    Column("Error as chosen", number=True),
)  # fmt: skip


def watched(wallet: Wallet) -> Table:
    """A wallet's thresholds, and which of them are crossed."""
    found = list(thresholds.of(wallet.pk))
    opened = {alert.threshold_id: alert for alert in UsageAlert.objects.filter(wallet=wallet, closed_at=None)}
    people = words.caller_links(threshold.set_by for threshold in found)
    rows = [
        (threshold.get_kind_display(), shown.mark(threshold.kind, threshold.below, wallet.currency),
         shown.mark(threshold.kind, threshold.clears_at, wallet.currency), state(threshold, opened.get(threshold.pk)),
         people[threshold.set_by])
        for threshold in found
    ]  # fmt: skip
    return Table("Thresholds", WATCHED, rows, empty="Nobody hears of it when it runs low.")


def state(threshold: UsageThreshold, alert: UsageAlert | None) -> str:
    """Whether there is an open alert, with a link to it."""
    if alert is None:
        return cells.label("Fine", "success")
    return cells.row_of([cells.link("wallets_usagealert", alert.pk, cells.label("Alert", "danger"))])


def top_up(wallet: Wallet) -> Table:
    """How it is topped up by itself."""
    found = AutomaticTopUp.objects.filter(pk=wallet.pk).select_related("source__owner").first()
    rows = [] if found is None else [
        (words.wallet_link(found.source_id, words.wallet_name(found.source)),
         cells.money(found.below, wallet.currency), cells.money(found.amount, wallet.currency),
         cells.money(found.monthly_cap, wallet.currency) if found.monthly_cap else cells.NOTHING,
         plan_state(found))
    ]  # fmt: skip
    more = cells.link("wallets_automatictopup", wallet.pk, "Its attempts") if rows else ""
    return Table("Automatic top-up", TOP_UP, rows, "It is topped up by hand.", more=more)


def plan_state(plan: AutomaticTopUp) -> str:
    """Whether an automatic top-up works."""
    if not plan.is_active:
        return cells.label("Off")
    if plan.declines:
        return cells.label(f"Declined {plan.declines} times", "warning")
    return cells.label("On", "success")


def months(wallet: Wallet) -> Table:
    """What its months came to, by meter and price."""
    found = UsageMonth.objects.filter(wallet=wallet).select_related("meter", "price__meter")
    rows = [
        (f"{month.month:%B %Y}", cells.link("wallets_meter", month.meter_id, month.meter.name),
         shown.price(month.price), shown.quantity(month.quantity, month.meter.unit),
         shown.money(month.amount, wallet.currency),
         shown.money(month.amount - month.settled_amount, wallet.currency))
        for month in found.order_by("-month", "meter__slug")[:NEWEST]
    ]  # fmt: skip
    return Table("Months", MONTHS, rows)


def settlements(wallet: Wallet) -> Table:
    """How it was paid for lately."""
    found = UsageSettlement.objects.filter(wallet=wallet).order_by("-id")[:NEWEST]
    rows = [
        (cells.link("wallets_usagesettlement", made.pk, cells.moment(made.made_at)), meters_of(made),
         cells.money(made.amount, made.currency), cells.money(made.billed, made.currency))
        for made in found
    ]  # fmt: skip
    more = cells.rows_link("wallets_usagesettlement", "All of them", wallet__id__exact=wallet.pk) if rows else ""
    return Table("Newest settlements", SETTLEMENTS, rows, more=more)


def meters_of(made: UsageSettlement) -> str:
    """What a settlement was for, in a word or two."""
    return ", ".join(sorted({line["meter"] for line in made.lines})) or cells.NOTHING


def accuracy(wallet: Wallet, now: datetime) -> Table:
    """How good its estimates were in the last day."""
    found = trials.of(WATCHMAN, wallet.pk, now=now)
    rows = [
        (f"{each.minutes} minutes" if each.minutes > 1 else "1 minute", f"{each.windows:,}", f"{each.coverage:.1%}",
         *(shown.money(error, found.currency) for error in (each.none, each.ewma, each.auto)))
        for each in found.horizons
    ]  # fmt: skip
    empty = "There is no past yet to try it on."
    return Table("How good its estimates were in the last day", ACCURACY, rows, empty)


def attempts(plan: AutomaticTopUp) -> list[AutomaticTopUpAttempt]:
    """The newest attempts of an automatic top-up."""
    return list(AutomaticTopUpAttempt.objects.filter(wallet_id=plan.pk).order_by("-id")[: 2 * NEWEST])
