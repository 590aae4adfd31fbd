"""Whether an event can be taken, and where it counts: a pure function of what it says and what its batch found."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.conf import settings

from wallets.access import Access
from wallets.models import Meter, Wallet
from wallets.usage.catalogue import Catalogue, Metered
from wallets.usage.events import Event, Outcome
from wallets.usage.months import month_of
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


def judge(event: Event, catalogue: Catalogue, bounds: Bounds | None) -> Place | Outcome:
    """Where an event counts, or why it is rejected. Without bounds it may be as old as it is."""
    wallet, meter = catalogue.wallets.get(event.wallet), catalogue.meters.get(event.meter)
    if wallet is None:
        return refused("unknown_wallet")
    if meter is None:
        return refused("unknown_meter")
    if wallet.status == Wallet.Status.CLOSED:
        return refused("wallet_closed")
    if not meter.is_active:
        return refused("meter_inactive")
    if bounds is not None and not bounds.earliest <= event.occurred_at <= bounds.latest:
        return refused("too_old" if event.occurred_at < bounds.earliest else "in_future")
    if event.quantity < 0 and meter.aggregation != Aggregation.SUM:
        return refused("negative_quantity")
    if meter.property and event.properties.get(meter.property) is None:
        return refused("property_missing")
    price = meter.price(wallet, event.occurred_at)
    return refused("no_price") if price is None else Place(wallet, meter, price, month_of(event.occurred_at))


def refused(code: str) -> Outcome:
    """A rejection by its code."""
    return Outcome("rejected", code, REFUSALS[code])
