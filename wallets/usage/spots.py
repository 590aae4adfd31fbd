"""What a batch comes to at one place: a wallet's month of a meter under a price, whole and minute by minute."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from wallets.usage.folding import Folded
from wallets.usage.judging import Place
from wallets.usage.months import minute_of


@dataclass(slots=True, eq=False)
class Spot:
    """A place, and what events come to there. Different values are counted elsewhere."""

    place: Place
    minutes: dict[datetime, Folded] = field(default_factory=dict)

    def add(self, quantity: Decimal, occurred_at: datetime) -> None:
        """Count one more event."""
        at = minute_of(occurred_at)
        minute = self.minutes.get(at)
        if minute is None:
            minute = self.minutes[at] = Folded()
        minute.add(self.place.meter.aggregation, quantity, occurred_at)

    @property
    def whole(self) -> Folded:
        """All of it."""
        whole = Folded()
        for minute in self.minutes.values():
            whole.join(self.place.meter.aggregation, minute)
        return whole

    @property
    def earliest(self) -> datetime:
        """When the first of its minutes began."""
        return min(self.minutes)
