"""Whether an event can be taken, and where it counts: it depends on what it says and what its batch found, and nothing
else. What a batch's events have in common is looked at once.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
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
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# From then on there is no next month.
BEYOND_ALL = datetime(9999, 12, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


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


def refused(code: str) -> Outcome:
    """A rejection by its code."""
    return Outcome("rejected", code, REFUSALS[code])


NO_PRICE = refused("no_price")


class Judge:
    """Judges the events of a batch. Without bounds they may be as old as they are."""

    def __init__(self, catalogue: Catalogue, bounds: Bounds | None) -> None:
        self._catalogue, self._bounds = catalogue, bounds
        # By the number of the wallet's id, which is found much sooner than the id.
        self._pairs: dict[tuple[int, str], _Pair | Outcome] = {}
        self._tariffs: dict[tuple[str, str, UUID | None], _Tariff] = {}

    def judge(self, event: Event) -> Place | Outcome:
        """Where an event counts, or why it is rejected."""
        key = event.wallet.int, event.meter
        pair = self._pairs.get(key)
        if pair is None:
            pair = self._pairs[key] = self._pair(event.wallet, event.meter)
        return pair if isinstance(pair, Outcome) else pair.judge(event)

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
        who = slug, wallet.currency, wallet.id if meter.has_own_price(wallet) else None
        if who not in self._tariffs:
            self._tariffs[who] = _Tariff(meter, wallet, self._bounds)
        return _Pair(wallet, meter, self._tariffs[who])


class _Span(NamedTuple):
    """Moments, the last one excluded, whose events all count under one price in one month, or are all rejected."""

    since: datetime
    until: datetime
    under: tuple[Price, date] | Outcome


class _Tariff:
    """What some wallets pay for a meter, as far as it was asked for."""

    def __init__(self, meter: Metered, wallet: Access, bounds: Bounds | None) -> None:
        self._meter, self._wallet = meter, wallet
        self._earliest, self._beyond = FIRST, BEYOND_ALL
        if bounds:
            self._earliest, self._beyond = bounds.earliest, bounds.latest + MICROSECOND
        self._spans: list[_Span] = []

    def span(self, moment: datetime) -> _Span:
        """The span in which a moment lies."""
        for known in self._spans:
            if known.since <= moment < known.until:
                return known
        found = self._find(moment)
        self._spans.append(found)
        return found

    def _find(self, moment: datetime) -> _Span:
        if moment < self._earliest:
            return _Span(FIRST, self._earliest, refused("too_old"))
        if moment >= self._beyond:
            return _Span(self._beyond, LAST, refused("in_future"))
        price, month = self._meter.price(self._wallet, moment), month_of(moment)
        turns = [start(month), start(after(month)), self._earliest, self._beyond, *self._meter.turns(self._wallet)]
        since, until = max(turn for turn in turns if turn <= moment), min(turn for turn in turns if turn > moment)
        return _Span(since, until, NO_PRICE if price is None else (price, month))


class _Pair:
    """A wallet with a meter, and what was found of its events, by when they occurred."""

    def __init__(self, wallet: Access, meter: Metered, tariff: _Tariff) -> None:
        self._wallet, self._meter, self._tariff = wallet, meter, tariff
        self._takes_back = meter.aggregation == Aggregation.SUM
        self._looks_closer = not self._takes_back or bool(meter.property)
        self._found: list[tuple[datetime, datetime, Place | Outcome]] = []

    def judge(self, event: Event) -> Place | Outcome:
        """Where an event counts, or why it is rejected. The same place is the same object."""
        moment = event.occurred_at
        for since, until, known in self._found:
            if since <= moment < until:
                verdict = known
                break
        else:
            verdict = self._find(moment)
        if self._looks_closer and (verdict is NO_PRICE or isinstance(verdict, Place)):
            return self._refusal(event) or verdict
        return verdict

    def _find(self, moment: datetime) -> Place | Outcome:
        since, until, under = self._tariff.span(moment)
        verdict = under if isinstance(under, Outcome) else self._known(Place(self._wallet, self._meter, *under))
        self._found.append((since, until, verdict))
        return verdict

    def _known(self, place: Place) -> Place:
        return next((known for _, _, known in self._found if isinstance(known, Place) and known == place), place)

    def _refusal(self, event: Event) -> Outcome | None:
        if event.quantity < ZERO and not self._takes_back:
            return refused("negative_quantity")
        if (name := self._meter.property) and event.properties.get(name) is None:
            return refused("property_missing")
        return None
