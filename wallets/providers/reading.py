"""Looking into a provider's JSON, whatever is in there: what isn't of the kind that is asked for, isn't there."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from wallets.currencies import exists
from wallets.providers.money import NotExact, to_minor
from wallets.providers.redaction import plain, storable

NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,18})?", re.ASCII)
LARGEST = 30


def inside(value: Any, *path: str) -> Any:
    """What is at a path of keys, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def members(value: Any, *path: str) -> Mapping[str, Any]:
    """The object at a path of keys, an empty one where there is none."""
    found = inside(value, *path)
    return found if isinstance(found, Mapping) else {}


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def text(value: Any, longest: int = 100) -> str:
    """A string or a whole number as text that can be stored, or ""."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int) and abs(value) >= 10**longest:
        return ""
    return storable(str(value))[:longest]


def words(value: Any) -> str:
    """A message for people, without account numbers and addresses."""
    return plain(text(value, 255)).strip()


def told(name: str, status: str, why: str) -> str:
    """What a provider says of an order or a payment, as one sentence, whether or not its own words end with a point."""
    because = f": {why.rstrip('.')}" if why else ""
    return f"{name} says {status or 'nothing'}{because}."


def number(value: Any) -> Decimal | None:
    """A number, exactly as it was sent: as a JSON number or as digits in a string. One beyond all money isn't there."""
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    usable = isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= LARGEST
    return value if usable else None


def whole(value: Any) -> int | None:
    """A whole number."""
    found = number(value)
    if found is None or found.adjusted() > 18 or found != found.to_integral_value():
        return None
    return int(found)


def currency(value: Any) -> str | None:
    """A currency that we know."""
    return value if isinstance(value, str) and exists(value) else None


def minor(value: Any, of: str | None) -> int | None:
    """Major units as minor ones, or None where they can't be exact."""
    found = number(value)
    if found is None or of is None:
        return None
    try:
        return to_minor(found, of)
    except NotExact:
        return None


def moment(*values: Any) -> datetime | None:
    """The first that is a time with an offset, in UTC."""
    for value in values:
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            continue
        if found is not None and found.tzinfo is not None:
            return found.astimezone(UTC)
    return None
