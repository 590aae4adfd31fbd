"""What a settlement is for: parts of months, oldest first."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from wallets.usage.amounts import MICRO, ZERO, whole, written


class Line(NamedTuple):
    """So much of a wallet's month of a meter, under a price; minor units."""

    slug: str
    month: date
    meter: UUID
    price: UUID
    quantity: Decimal
    amount: Decimal

    def told(self) -> dict[str, str]:
        """As it is stored and shown."""
        return {
            "meter": self.slug, "month": f"{self.month:%Y-%m}", "price": str(self.price),
            "quantity": written(self.quantity), "amount": written(self.amount),
        }  # fmt: skip


def allot(lines: Sequence[Line], unsettled: Decimal, amount: int) -> list[Line]:
    """Which of the lines are settled by an amount: all where it is all that is due, else the oldest as far as it goes.

    What is due is whole minor units; what of the lines isn't, is carried.
    """
    if amount == whole(unsettled):
        return list(lines)
    return list(_oldest(lines, Decimal(amount)))


def _oldest(lines: Sequence[Line], left: Decimal) -> Iterator[Line]:
    for line in sorted(lines, key=lambda line: line.amount > 0):
        if left <= 0 < line.amount:
            return
        if line.amount <= left:
            yield line
            left -= line.amount
        else:
            quantity = (line.quantity * left / line.amount).quantize(MICRO) if line.amount else ZERO
            yield line._replace(quantity=quantity, amount=left)
            left = ZERO
