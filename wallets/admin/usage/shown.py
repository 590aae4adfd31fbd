"""How the back office writes what isn't whole: quantities, fractions of minor units, prices, hours."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice import cells
from backoffice.money import exponent, format_money
from wallets.models import MeterPrice, UsageThreshold
from wallets.usage.amounts import whole, written


def money(amount: Decimal, currency: str) -> SafeString:
    """An amount in whole minor units, rounded down; all of it on hovering."""
    return _rounded(amount, whole(amount), currency)


def taken(amount: Decimal, currency: str) -> SafeString:
    """What is taken of a balance, rounded up: together with what is left, rounded down, it makes the whole."""
    return _rounded(amount, -whole(-amount), currency)


def _rounded(amount: Decimal, shown: int, currency: str) -> SafeString:
    exact = f"{written(amount)} minor units of {currency}"
    return format_html('<span class="money" title="{}">{}</span>', exact, format_money(shown, currency))


def quantity(amount: Decimal, unit: str = "") -> SafeString:
    """How much was used."""
    text = f"{grouped(written(amount))} {unit}".strip()
    return format_html('<span class="money">{}</span>', text.replace("-", "−"))


def grouped(number: str) -> str:
    """A decimal with its thousands apart."""
    whole_part, point, rest = number.partition(".")
    return f"{int(whole_part):,}{point}{rest}"


def price(found: MeterPrice) -> str:
    """What a unit costs, in major units however small, tier by tier."""
    return tariff(found.tiers, found.package_size, found.currency, found.meter.unit)


def tariff(tiers: Sequence[Mapping[str, Any]], package_size: Decimal | None, currency: str, unit: str) -> str:
    """A tariff in words."""
    if package_size is not None:
        return f"{_major(tiers[0]['unit_amount'], currency)} for {written(package_size)} {unit}"
    if len(tiers) == 1:
        return f"{_major(tiers[0]['unit_amount'], currency)} a {unit}"
    steps = [
        f"{_major(tier['unit_amount'], currency)} " + (f"to {grouped(tier['up_to'])}" if tier["up_to"] else "above")
        for tier in tiers
    ]
    return f"{'; '.join(steps)}, a {unit}"


def mark(kind: str, amount: Decimal | int, currency: str) -> SafeString | str:
    """Where a threshold lies: money, or hours."""
    if kind == UsageThreshold.Kind.RUNWAY:
        return cells.number(round(amount), "h") if amount == round(amount) else quantity(round(Decimal(amount), 1), "h")
    return money(Decimal(amount), currency)


def span(seconds: float | None) -> str:
    """A stretch of time, roughly."""
    if seconds is None:
        return "no end in sight"
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {name}"
    return f"{seconds:,.0f} seconds"


def _major(minor: str, currency: str) -> str:
    return f"{currency} {written(Decimal(minor).scaleb(-exponent(currency)))}"
