"""What a quantity costs: pure functions of a month's total, so that the order of events can't matter."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from wallets.usage.amounts import ZERO, down, written


class Tier(NamedTuple):
    """A unit's price in minor units, for what lies above the tier before and up to a quantity; None is without end."""

    up_to: Decimal | None
    unit_amount: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """A version of a price. Free is what the allowance covers in a calendar month; tiers count from there.

    With a package size, what is begun of a package is paid whole, and the only tier says what one costs.
    """

    id: UUID
    starts_at: datetime
    ends_at: datetime | None
    allowance: Decimal
    package_size: Decimal | None
    tiers: tuple[Tier, ...]

    def __hash__(self) -> int:
        # Equal prices have equal ids, and it is asked for often.
        return hash(self.id)

    def cost(self, quantity: Decimal) -> Decimal:
        """What a month's quantity costs, in minor units, unrounded; nothing for one that isn't above 0."""
        charged = quantity - self.allowance
        if charged <= 0:
            return ZERO
        if self.package_size is not None:
            packages, begun = divmod(charged, self.package_size)
            return (packages + bool(begun)) * self.tiers[0].unit_amount
        if len(self.tiers) == 1:
            return charged * self.tiers[0].unit_amount
        return self._graduated(charged)

    def _graduated(self, charged: Decimal) -> Decimal:
        total, reached = ZERO, ZERO
        for tier in self.tiers:
            top = charged if tier.up_to is None else min(charged, tier.up_to)
            if top <= reached:
                break
            total, reached = total + (top - reached) * tier.unit_amount, top
        return total


class Position(NamedTuple):
    """How much of a month lies under a price, and how much of it under the prices before."""

    price: Price
    base: Decimal
    quantity: Decimal

    def amount(self, more: Decimal = ZERO) -> Decimal:
        """What that costs, and so much more of it: minor units with six decimals."""
        return down(self.price.cost(self.base + self.quantity + more) - self.price.cost(self.base))


def positions(month: Mapping[Price, Decimal]) -> list[Position]:
    """A month's quantities in the order of their prices: a new price goes on where the one before stopped, so that
    tiers and the allowance are a month's, however often its price changes.
    """
    found, base = [], ZERO
    for price, quantity in sorted(month.items(), key=lambda part: (part[0].starts_at, part[0].id)):
        found.append(Position(price, base, quantity))
        base += quantity
    return found


@lru_cache(maxsize=10_000)
def read_tiers(document: str) -> tuple[Tier, ...]:
    """Tiers from the document that they are stored in: decimals as text."""
    return tuple(
        Tier(None if tier["up_to"] is None else Decimal(tier["up_to"]), Decimal(tier["unit_amount"]))
        for tier in json.loads(document)
    )


def write_tiers(tiers: Sequence[Tier]) -> list[dict[str, str | None]]:
    """Tiers as they are stored and told."""
    return [
        {"up_to": None if tier.up_to is None else written(tier.up_to), "unit_amount": written(tier.unit_amount)}
        for tier in tiers
    ]
