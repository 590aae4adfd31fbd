"""Quantities and amounts that aren't whole: exact decimals, and how they are written and read."""

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# The longest product is that of a month's quantity and a unit's price: 29 + 9 digits times 12 + 12.
EXACT = Context(prec=100)
MICRO = Decimal("0.000001")
ZERO = Decimal(0)
QUANTITY = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?"
_is_quantity = re.compile(QUANTITY).fullmatch
_are_quantities = re.compile(f"{QUANTITY}( {QUANTITY})*").fullmatch


def exact(work: Callable[P, R]) -> Callable[P, R]:
    """Work with enough digits that nothing is ever rounded by accident."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(EXACT):
            return work(*args, **kwargs)

    return run


def quantity(text: str) -> Decimal | None:
    """A quantity as it is written: up to 15 digits and 9 decimals; None for anything else."""
    return Decimal(text) if _is_quantity(text) else None


def are_quantities(texts: Sequence[str]) -> bool:
    """Whether all of them are: of many that is sooner told at once."""
    together = " ".join(texts)
    return together.count(" ") == len(texts) - 1 and _are_quantities(together) is not None


def written(value: Decimal) -> str:
    """A decimal as people write it: no exponent, no zeros that say nothing."""
    text = str(value)
    if "E" in text:
        text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def down(value: Decimal) -> Decimal:
    """An amount in minor units with six decimals, rounded toward the customer."""
    return value.quantize(MICRO, ROUND_FLOOR, EXACT)


def whole(value: Decimal) -> int:
    """The whole minor units of an amount, rounded toward the customer: what is left over is less than one."""
    return int(value.to_integral_value(ROUND_FLOOR))
