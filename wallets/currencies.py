"""ISO 4217: which currencies there are, and how many digits their minor unit has."""

from decimal import ROUND_FLOOR, Decimal
from functools import cache

from iso4217 import Currency

from users.validation import ValidationError


@cache
def exponent(currency: str) -> int:
    """How many digits of an amount come after the point: 2 for USD, 0 for JPY, 3 for KWD."""
    digits = Currency(currency).exponent
    if digits is None:
        raise ValueError(f"{currency} has no minor unit")
    return digits


def floor(amount: Decimal, currency: str) -> int:
    """An amount in major units as whole minor units; what is less than one is left out."""
    return int(amount.scaleb(exponent(currency)).to_integral_value(ROUND_FLOOR))


@cache
def exists(currency: str) -> bool:
    """Whether money can be kept in it: ISO 4217 knows it, with a minor unit."""
    try:
        return Currency(currency).exponent is not None
    except ValueError:
        return False


def check(currency: str, field: str = "currency") -> None:
    """Raise ValidationError unless it is an ISO 4217 code."""
    if not exists(currency):
        raise ValidationError.on(field, "invalid", "Use an ISO 4217 code in capitals, such as USD or NGN.")
