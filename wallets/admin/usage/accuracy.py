"""How good estimates were in the last day, of the wallets that were metered last: our own error, published."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from backoffice import cells
from backoffice.tables import Column, Figure, Table
from wallets.admin import words
from wallets.admin.usage import shown
from wallets.models import UsageAccount
from wallets.usage import accuracy
from wallets.usage.accuracy import Horizon
from wallets.usage.watching import WATCHMAN

# Each is tried on a day of minutes, while somebody waits.
WALLETS = 20
# An estimate is asked for minutes after the last events; so far ahead each is told.
AHEAD = (1, 15, 60)
COLUMNS = (
    Column("Wallet"), Column("Ahead"), Column("Windows", number=True), Column("Within the band", number=True),
    Column("Error without a rate", number=True), Column("Error by the rate", number=True),
    Column("Error as chosen", number=True),
)  # fmt: skip


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page, for those who may look at usage."""
    if not request.user.has_perm("wallets.view_usageaccount"):
        raise PermissionDenied
    found = _tried(timezone.now())
    shown_here = {"title": "Accuracy of estimates", "figures": _figures(found), "table": _table(found)}
    return TemplateResponse(request, "admin/usage_accuracy.html", context | shown_here)


Tried = tuple[UsageAccount, Horizon]


def _tried(now: datetime) -> list[Tried]:
    accounts = UsageAccount.objects.select_related("wallet__owner").order_by("-watermark")[:WALLETS]
    return [
        (account, horizon)
        for account in accounts
        for horizon in accuracy.of(WATCHMAN, account.pk, now=now).horizons
        if horizon.minutes in AHEAD
    ]


def _figures(found: list[Tried]) -> list[Figure]:
    """Of each horizon which part of all windows lay within the band."""
    return [
        Figure(f"Within the band, {_ahead(minutes)} ahead", _coverage(horizons), strong=minutes == AHEAD[1])
        for minutes in AHEAD
        if (horizons := [horizon for _, horizon in found if horizon.minutes == minutes])
    ]


def _coverage(horizons: list[Horizon]) -> str:
    windows = sum(horizon.windows for horizon in horizons)
    return f"{sum(horizon.coverage * horizon.windows for horizon in horizons) / windows:.1%}"


def _table(found: list[Tried]) -> Table:
    rows = [
        (cells.link("wallets_usageaccount", account.pk, words.wallet_name(account.wallet)), _ahead(horizon.minutes),
         f"{horizon.windows:,}", f"{horizon.coverage:.1%}",
         *(shown.money(error, account.wallet.currency) for error in (horizon.none, horizon.ewma, horizon.auto)))
        for account, horizon in found
    ]  # fmt: skip
    return Table("By wallet, in the last day", COLUMNS, rows, "No wallet has been metered for long enough.")


def _ahead(minutes: int) -> str:
    return f"{minutes} min"
