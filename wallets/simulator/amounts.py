"""Amounts are integers, in millionths of a currency's major unit: fine enough for a provider's fees and balances."""

from decimal import Decimal

MILLION = 1_000_000
# Paystack counts hundredths of every currency.
CENT = MILLION // 100
LARGEST = 10**12 * MILLION


def major(amount: int) -> Decimal:
    """In major units, exact, without zeros behind."""
    whole, rest = divmod(amount, MILLION)
    return Decimal(whole) if rest == 0 else (Decimal(amount) / MILLION).normalize()


def told(amount: int | None) -> Decimal | None:
    """In major units what is told, and nothing of what isn't."""
    return None if amount is None else major(amount)


def from_major(value: Decimal) -> int:
    """Millionths. Raises ValueError for what isn't an amount: not finite, out of range, or finer than millionths."""
    if not value.is_finite() or abs(value) > LARGEST:
        raise ValueError("The amount is out of range.")
    amount = value * MILLION
    if amount != amount.to_integral_value():
        raise ValueError("The amount has too many decimals.")
    return int(amount)


def positive(value: Decimal) -> int:
    """Millionths of what is moved. Raises ValueError as `from_major` does, and for what isn't above zero."""
    amount = from_major(value)
    if amount <= 0:
        raise ValueError("The amount should be greater than zero.")
    return amount


def not_negative(value: Decimal) -> int:
    """Millionths of what may be nothing. Raises ValueError as `from_major` does, and for what is below zero."""
    amount = from_major(value)
    if amount < 0:
        raise ValueError("The amount should not be below zero.")
    return amount


def minor(amount: int) -> int:
    """In hundredths, what is finer cut off."""
    return amount // CENT
