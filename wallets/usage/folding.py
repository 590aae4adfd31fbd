"""How events become one quantity, by the aggregation of their meter: in any order, the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from wallets.models import Meter
from wallets.usage.amounts import ZERO

Aggregation = Meter.Aggregation
NEVER = datetime.min.replace(tzinfo=UTC)
# When an event occurred, and its quantity.
Counted = tuple[datetime, Decimal]


@dataclass(slots=True, eq=False, kw_only=True)
class Folded:
    """What some events come to: a quantity, how many they are, and when the latest of them occurred."""

    quantity: Decimal = ZERO
    events: int = 0
    latest_at: datetime = NEVER

    @classmethod
    def of(cls, aggregation: str, events: Sequence[Counted]) -> "Folded":
        """What events come to, one at least. Different values are counted elsewhere."""
        # Of two at the same moment the larger counts.
        latest_at, quantity = max(events)
        if aggregation == Aggregation.SUM:
            quantity = sum([quantity for _, quantity in events], ZERO)
        elif aggregation == Aggregation.COUNT:
            quantity = Decimal(len(events))
        elif aggregation == Aggregation.MAX:
            quantity = max([quantity for _, quantity in events])
        elif aggregation == Aggregation.UNIQUE:
            quantity = ZERO
        return cls(quantity=quantity, events=len(events), latest_at=latest_at)

    def join(self, aggregation: str, other: "Folded") -> None:
        """Take in what other events come to; different values were counted, each once."""
        if aggregation in (Aggregation.SUM, Aggregation.COUNT, Aggregation.UNIQUE):
            self.quantity += other.quantity
        elif aggregation == Aggregation.MAX:
            self.quantity = max(self.quantity, other.quantity)
        elif self._is_later(other.quantity, other.latest_at):
            self.quantity = other.quantity
        self.events += other.events
        self.latest_at = max(self.latest_at, other.latest_at)

    def _is_later(self, quantity: Decimal, occurred_at: datetime) -> bool:
        """Of two at the same moment the larger counts."""
        return (occurred_at, quantity) > (self.latest_at, self.quantity)
