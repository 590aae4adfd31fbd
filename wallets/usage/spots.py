"""What a batch comes to at one place: a wallet's month of a meter under a price, whole and minute by minute."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from wallets.usage.amounts import exact
from wallets.usage.events import Event
from wallets.usage.folding import Counted, Folded
from wallets.usage.judging import Place
from wallets.usage.months import MINUTE

MINUTES_A_DAY = 24 * 60
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A place, and what events come to there. Different values are counted elsewhere."""

    place: Place
    minutes: dict[datetime, Folded]

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


@exact
def gather(events: Iterable[tuple[Event, Place]]) -> list[Spot]:
    """What a batch's events come to at each place: within a batch that is one object."""
    places: dict[int, Place] = {}
    # A minute by its number, which is found much sooner than a moment.
    found: dict[int, defaultdict[int, list[Counted]]] = defaultdict(lambda: defaultdict(list))
    for event, place in events:
        places[id(place)] = place
        since = event.occurred_at - _FIRST
        number = since.days * MINUTES_A_DAY + since.seconds // 60
        found[id(place)][number].append((event.occurred_at, event.quantity))
    return [_spot(place, found[number]) for number, place in places.items()]


def _spot(place: Place, minutes: dict[int, list[Counted]]) -> Spot:
    aggregation = place.meter.aggregation
    return Spot(
        place, {_FIRST + number * MINUTE: Folded.of(aggregation, events) for number, events in minutes.items()}
    )  # fmt: skip
