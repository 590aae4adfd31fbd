"""Usage in plain Python and Decimal: what a reader of the design would write in an afternoon, to hold the product
against. It knows nothing of how that counts, but only what a month of a meter costs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any
from uuid import UUID

ZERO = Decimal(0)
Fact = tuple[datetime, Decimal, Any]


@dataclass(frozen=True)
class OraclePrice:
    """From a moment on: (up to, price) steps of what lies above the allowance; or the price of a package begun."""

    starts_at: datetime
    steps: tuple[tuple[Decimal | None, Decimal], ...]
    allowance: Decimal = ZERO
    package: Decimal | None = None

    def cost(self, quantity: Decimal) -> Decimal:
        paid = max(ZERO, quantity - self.allowance)
        if self.package:
            return (paid / self.package).to_integral_value(ROUND_CEILING) * self.steps[0][1]
        edges = [ZERO, *(paid if up_to is None else up_to for up_to, _ in self.steps)]
        parts = zip(edges, edges[1:], self.steps, strict=False)
        return sum((max(ZERO, min(paid, top) - low) * price for low, top, (_, price) in parts), ZERO)


@dataclass
class OracleMeter:
    aggregation: str
    prices: list[OraclePrice]

    def price_at(self, moment: datetime) -> OraclePrice:
        return [price for price in self.prices if price.starts_at <= moment][-1]

    def quantity(self, facts: Iterable[Fact]) -> Decimal:
        facts = list(facts)
        match self.aggregation:
            case "sum":
                return sum((quantity for _, quantity, _ in facts), ZERO)
            case "count":
                return Decimal(len(facts))
            case "max":
                return max(quantity for _, quantity, _ in facts)
            case "latest":
                return max(facts, key=lambda fact: fact[:2])[1]
            case _:
                return Decimal(len({repr(value) for _, _, value in facts}))

    def cost(self, facts: Iterable[Fact]) -> Decimal:
        """What one wallet's facts cost: each month goes on from price to price, and each part is rounded down once."""
        months: dict[tuple[int, int], dict[datetime, list[Fact]]] = {}
        for fact in facts:
            month = months.setdefault((fact[0].year, fact[0].month), {})
            month.setdefault(self.price_at(fact[0]).starts_at, []).append(fact)
        total = ZERO
        for month in months.values():
            base = ZERO
            for begun in sorted(month):
                price = self.price_at(begun)
                more = base + self.quantity(month[begun])
                total += (price.cost(more) - price.cost(base)).quantize(Decimal("0.000001"), ROUND_FLOOR)
                base = more
        return total


@dataclass
class Oracle:
    """Wallets with what they were given, and every event once by its source and id."""

    meters: dict[str, OracleMeter] = field(default_factory=dict)
    given: dict[UUID, int] = field(default_factory=dict)
    events: dict[tuple[str, str], tuple[UUID, str, Fact]] = field(default_factory=dict)

    def report(self, source: str, id: str, wallet: UUID, meter: str, fact: Fact) -> str:
        """What is to be answered."""
        said = (wallet, meter, fact)
        known = self.events.setdefault((source, id), said)
        return "conflict" if known != said else "duplicate" if known is not said else "accepted"

    def current(self, wallet: UUID) -> Decimal:
        """What was given less all that was used, settled or not."""
        used: dict[str, list[Fact]] = {}
        for owner, meter, fact in self.events.values():
            if owner == wallet:
                used.setdefault(meter, []).append(fact)
        return self.given[wallet] - sum((self.meters[meter].cost(facts) for meter, facts in used.items()), ZERO)
