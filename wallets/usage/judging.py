"""Whether an event can be taken, and where it counts: it depends on what it says and what its batch found, and nothing
else. What a batch's events have in common is looked at once.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from wallets.access import Access
from wallets.models import Meter, Wallet
from wallets.usage.amounts import ZERO
from wallets.usage.catalogue import Catalogue, Metered
from wallets.usage.events import Event, Outcome
from wallets.usage.months import after, month_of, start
from wallets.usage.pricing import Price

Aggregation = Meter.Aggregation


class Place(NamedTuple):
    """Where an event counts: a wallet's month of a meter, under a price."""

    wallet: Access
    meter: Metered
    price: Price
    month: date


class Bounds(NamedTuple):
    """Between which moments, both included, events are taken."""

    earliest: datetime
    latest: datetime

    @classmethod
    def at(cls, now: datetime) -> "Bounds":
        """As they are set: so many days late, and ahead by as much as clocks may differ."""
        return cls(
            now - timedelta(days=settings.USAGE_LATE_DAYS), now + timedelta(seconds=settings.USAGE_FUTURE_SECONDS)
        )


REFUSALS: Mapping[str, str] = {
    "unknown_wallet": "There is no such wallet.",
    "wallet_closed": "The wallet is closed.",
    "unknown_meter": "There is no such meter; make it, or correct its slug.",
    "meter_inactive": "The meter is out of use.",
    "too_old": "It occurred longer ago than events are taken.",
    "in_future": "It occurs in the future; look at the clock of its source.",
    "no_price": "The meter had no price in the wallet's currency then; announce one that starts before.",
    "negative_quantity": "Only a meter that sums takes back by a negative quantity.",
    "property_missing": "It lacks the property whose values the meter counts.",
}


class Judge:
    """Judges the events of a batch. Without bounds they may be as old as they are."""

    def __init__(self, catalogue: Catalogue, bounds: Bounds | None) -> None:
        self._catalogue, self._bounds = catalogue, bounds
        self._pairs: dict[tuple[UUID, str], _Pair | Outcome] = {}

    def judge(self, event: Event) -> Place | Outcome:
        """Where an event counts, or why it is rejected."""
        key = event.wallet, event.meter
        pair = self._pairs.get(key)
        if pair is None:
            pair = self._pairs[key] = self._pair(*key)
        if isinstance(pair, Outcome):
            return pair
        moment, bounds = event.occurred_at, self._bounds
        if bounds is not None and not bounds.earliest <= moment <= bounds.latest:
            return refused("too_old" if moment < bounds.earliest else "in_future")
        if event.quantity < ZERO and not pair.takes_back:
            return refused("negative_quantity")
        if (name := pair.meter.property) and event.properties.get(name) is None:
            return refused("property_missing")
        return pair.place(moment) or refused("no_price")

    def _pair(self, wallet_id: UUID, slug: str) -> "_Pair | Outcome":
        wallet, meter = self._catalogue.wallets.get(wallet_id), self._catalogue.meters.get(slug)
        if wallet is None:
            return refused("unknown_wallet")
        if meter is None:
            return refused("unknown_meter")
        if wallet.status == Wallet.Status.CLOSED:
            return refused("wallet_closed")
        if not meter.is_active:
            return refused("meter_inactive")
        return _Pair(wallet, meter)


class _Pair:
    """A wallet with a meter, and the spans of time, found so far, in which all of their events count in one place."""

    def __init__(self, wallet: Access, meter: Metered) -> None:
        self.wallet, self.meter = wallet, meter
        self.takes_back = meter.aggregation == Aggregation.SUM
        self._spans: list[tuple[datetime, datetime, Place | None]] = []

    def place(self, moment: datetime) -> Place | None:
        """Where what occurred at a moment counts; None where it has no price. The same place is the same object."""
        for since, until, place in self._spans:
            if since <= moment < until:
                return place
        price, month = self.meter.price(self.wallet, moment), month_of(moment)
        found = None if price is None else self._known(Place(self.wallet, self.meter, price, month))
        turns = [start(month), start(after(month)), *self.meter.turns(self.wallet)]
        since, until = max(turn for turn in turns if turn <= moment), min(turn for turn in turns if turn > moment)
        self._spans.append((since, until, found))
        return found

    def _known(self, place: Place) -> Place:
        return next((known for _, _, known in self._spans if known == place), place)


def refused(code: str) -> Outcome:
    """A rejection by its code."""
    return Outcome("rejected", code, REFUSALS[code])
