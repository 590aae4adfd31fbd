"""One cell of a statement at a time: an amount, a day, a status; exactly, or refused with what to do."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Any

from ledger.money import MAX_POSTING
from wallets.currencies import exponent
from wallets.reconciliation.formats.lines import BOOKED, FAILED, PENDING, REVERSED

# A spreadsheet's numbers are exact to fifteen digits; what it stores beyond them is how it counts, not what it shows.
EXACT = Context(prec=15)
_symbols = str.maketrans("", "", "₦$€£¥₵ \u00a0\u202f\u2009'’")
_plain = {
    ".": re.compile(r"([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)?(\.[0-9]*)?").fullmatch,
    ",": re.compile(r"([0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)?(,[0-9]*)?").fullmatch,
}
WORDS = {
    BOOKED: "booked book success successful succeeded completed complete paid settled approved processed",
    PENDING: "pending pdng processing queued new otp received scheduled",
    FAILED: "failed failure rejected declined abandoned cancelled canceled blocked expired",
    REVERSED: "reversed reversal returned refunded",
}
STATUSES = {word: status for status, words in WORDS.items() for word in words.split()}
SIGNS = {"credit": 1, "c": 1, "cr": 1, "crdt": 1, "in": 1, "+": 1, "debit": -1, "d": -1, "dr": -1, "dbit": -1, "-": -1}
SIGNS |= {"out": -1}


class CellRefused(ValueError):
    """A cell that doesn't say exactly what it should; the text says what to do."""


def amount(cell: Any, decimal: str, currency: str) -> int:
    """An amount in minor units, signed as it is written: −5, 5−, (5) and 5 DR are negative. Raises CellRefused."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return minor(_number(cell), currency)
    text = str(cell).strip()
    if text.startswith("="):
        raise CellRefused("It is a formula; paste the values in its place, and import that.")
    sign, digits = _signed(text.upper(), currency)
    found = _plain[decimal](digits) if len(digits) <= 40 else None
    if found is None or not digits.strip(".,"):
        way = "1,234.50" if decimal == "." else "1.234,50"
        raise CellRefused(f"“{text[:40]}” is no amount as the mapping says they are written, such as {way}.")
    whole, fraction = found[1] or "0", found[2] or ""
    value = Decimal(whole.replace("," if decimal == "." else ".", "") + fraction.replace(",", "."))
    return sign * minor(value, currency)


def minor(value: Decimal, currency: str) -> int:
    """An amount in major units as minor units, exactly. Raises CellRefused where it isn't a whole number of them."""
    digits = exponent(currency)
    scaled = value.scaleb(digits)
    if scaled != scaled.to_integral_value():
        raise CellRefused(f"{value:.20g} has more decimals than the {digits} of {currency}; is the column right?")
    if abs(scaled) > MAX_POSTING:
        raise CellRefused(f"{value:.6g} is more than any amount can be; is the column right?")
    return int(scaled)


def day(cell: Any, formats: Sequence[str]) -> date:
    """A day; of a moment with a time zone, the day in UTC. Raises CellRefused."""
    if isinstance(cell, datetime):
        found = cell
    elif isinstance(cell, date):
        found = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001
    else:
        found = _moment(str(cell).strip(), formats)
    if not 1990 <= found.year <= 2100:
        raise CellRefused(f"{found:%Y-%m-%d} can't be right; look at the date formats of the mapping.")
    return (found.astimezone(UTC) if found.tzinfo else found).date()


def status(cell: Any, words: Mapping[str, str]) -> str:
    """What moved or didn't: by the mapping's own words first, else by the usual ones. Raises CellRefused."""
    word = " ".join(str(cell).split()).lower()
    found = words.get(word) or STATUSES.get(word)
    if not word:
        return BOOKED
    if found is None:
        raise CellRefused(f"“{word[:40]}” isn’t known; say in the mapping’s statuses what it means.")
    return found


def sign(cell: Any) -> int:
    """1 for a credit and −1 for a debit, as the provider says them. Raises CellRefused."""
    word = str(cell).strip().lower()
    if word not in SIGNS:
        raise CellRefused(f"“{word[:40]}” is neither a debit nor a credit; is the column right?")
    return SIGNS[word]


def _number(cell: int | float) -> Decimal:
    value = EXACT.create_decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell)
    if not value.is_finite():
        raise CellRefused("It is no number; is the column right?")
    return value


def _signed(text: str, currency: str) -> tuple[int, str]:
    """The sign that it is written with, and what is left without signs, currency and spaces."""
    text = text.removeprefix(currency).removesuffix(currency).replace("−", "-").translate(_symbols)
    if text.endswith(("CR", "DR")):
        return (-1 if text.endswith("DR") else 1), text[:-2]
    if text.startswith("(") and text.endswith(")"):
        return -1, text[1:-1]
    if text.endswith("-"):
        return -1, text[:-1]
    return (-1 if text.startswith("-") else 1), text.removeprefix("-" if text.startswith("-") else "+")


def _moment(text: str, formats: Sequence[str]) -> datetime:
    try:
        if not formats:
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    for way in formats:
        try:
            return datetime.strptime(text, way)  # noqa: DTZ007
        except ValueError:
            continue
    ways = " or ".join(formats) or "ISO 8601, such as 2026-01-31"
    raise CellRefused(f"“{text[:40]}” is no date as {ways}; put the file’s own format into the mapping.")
