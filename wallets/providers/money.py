"""Money between our integers and what providers speak: exact, or refused; nothing here rounds."""

from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

from wallets.currencies import exponent

# Far more digits than any amount has, and an error where they wouldn't do.
EXACT = Context(prec=40, traps=[Inexact, InvalidOperation, Overflow])
# What the ledger can hold: a signed number of 64 bits.
LARGEST = 2**63 - 1


class NotExact(ValueError):
    """An amount that can't be said exactly in the unit or the form that is needed."""


def to_major(amount: int, currency: str) -> Decimal:
    """Minor units as major ones, with all the currency's digits: 250050 NGN is 2500.50."""
    return Decimal(amount).scaleb(-exponent(currency), EXACT)


def to_minor(major: Decimal, currency: str) -> int:
    """Major units as minor ones. Raises NotExact for a finer amount than the currency has, and for one too large."""
    try:
        minor = major.scaleb(exponent(currency), EXACT)
        if abs(minor) > LARGEST or minor != minor.to_integral_value():
            raise NotExact(f"{major} {currency} isn't a whole number of minor units that we can hold.")
    except DecimalException:
        raise NotExact(f"An amount of {currency} has more digits than money has.") from None
    return int(minor)


def json_number(value: Decimal) -> int | float:
    """A JSON number that every reader takes for exactly `value`, readers with binary fractions too. Raises NotExact."""
    number = float(value)
    if Decimal(repr(number)) != value:
        raise NotExact(f"{value} can't be sent as a JSON number: it would be read as {number!r}.")
    return int(value) if value == value.to_integral_value() else number
