"""Money as a person reads it."""

from decimal import Decimal
from functools import cache

from iso4217 import Currency


def format_money(amount: int, currency: str) -> str:
    """Minor units as major ones: 4500000 of NGN is `NGN 45,000.00`, −1500 of JPY is `JPY −1,500`."""
    digits = exponent(currency)
    whole, rest = divmod(abs(amount), 10**digits)
    sign = "−" if amount < 0 else ""
    return f"{currency} {sign}{whole:,}" + (f".{rest:0{digits}}" if digits else "")


def short_money(amount: int, currency: str) -> str:
    """Roughly how much, for the edge of a chart: 4500000 of NGN is `45k`, 250000000 `2.5M`."""
    value = Decimal(amount).scaleb(-exponent(currency))
    for size, letter in ((12, "T"), (9, "B"), (6, "M"), (3, "k")):
        if abs(value) >= 10**size:
            value = value.scaleb(-size)
            return f"{value.quantize(Decimal('0.1')).normalize():f}{letter}".replace("-", "−")
    return f"{value.normalize():f}".replace("-", "−") if value else "0"


def major(amount: int, currency: str) -> str:
    """Minor units as major ones, to be written again: 4500000 of NGN is `45000.00`."""
    return str(Decimal(amount).scaleb(-exponent(currency)))


@cache
def exponent(currency: str) -> int:
    """The digits after the point. The books take any three letters: what ISO 4217 doesn't know is shown unscaled."""
    try:
        return Currency(currency).exponent or 0
    except ValueError:
        return 0
