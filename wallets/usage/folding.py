"""How events become one quantity, by the aggregation of their meter: in any order, the same."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from wallets.models import Meter
from wallets.usage.amounts import ZERO

Aggregation = Meter.Aggregation
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True, eq=False, kw_only=True)
class Folded:
    """What some events come to: a quantity, how many they are, and when the latest of them occurred."""

    quantity: Decimal = ZERO
    events: int = 0
    latest_at: datetime = NEVER

    def add(self, aggregation: str, quantity: Decimal, occurred_at: datetime) -> None:
        """Count one more event. Different values are counted elsewhere."""
        if aggregation == Aggregation.SUM:
            self.quantity += quantity
        elif aggregation == Aggregation.COUNT:
            self.quantity += 1
        elif aggregation == Aggregation.MAX:
            self.quantity = max(self.quantity, quantity)
        elif aggregation == Aggregation.LATEST and self._is_later(quantity, occurred_at):
            self.quantity = quantity
        self.events += 1
        self.latest_at = max(self.latest_at, occurred_at)

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
