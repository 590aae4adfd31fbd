"""Taking events: whatever comes, each of them counts once, and what it costs is known when its batch is answered.

One transaction: prices are held still, keys claimed, accounts locked, and events, minutes, months and accounts written.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from ledger import sql
from ledger.durable import pipelined
from wallets import bell, metrics
from wallets.models import Meter
from wallets.usage import cache, catalogue, keys, quarantine, rollups, totals, values
from wallets.usage.amounts import exact
from wallets.usage.events import ACCEPTED, Event, Outcome
from wallets.usage.folding import Folded
from wallets.usage.judging import Bounds, Judge, Place
from wallets.usage.keys import Named
from wallets.usage.rollups import Minute
from wallets.usage.spots import Spot, gather
from wallets.usage.totals import Group, Totals

# A ring that comes later than this finds nothing that the sweep hasn't found.
RING_SECONDS = 1.0


def take(events: Sequence[Event], *, now: datetime, bounded: bool = True, heard: bool = True) -> list[Outcome]:
    """Take events, inside the caller's transaction, and tell what became of each, in their order.

    What isn't taken leaves nothing behind but, as it is set, a line in quarantine. Without bounds events may be as old
    as they are. Where nobody hears what became of them, all that isn't taken is kept in quarantine.
    """
    if not events:
        return []
    found = catalogue.look_up(events)
    named = Named(events)
    judge = Judge(found(), Bounds.at(now) if bounded else None).judge
    verdicts = [judge(event) for event in events]
    wanted = {position: verdict for position, verdict in enumerate(verdicts) if isinstance(verdict, Place)}
    claimed = keys.claim(named, wanted, now=now)
    # While the server claims them, they are taken for fresh, which most of them are.
    sums = Sums(named, wanted)
    known = claimed()
    fresh = {position: wanted[position] for position, outcome in known.items() if outcome is None}
    if fresh:
        _count(sums if len(fresh) == len(wanted) else Sums(named, fresh), now)
    outcomes = [_outcome(position, verdict, known) for position, verdict in enumerate(verdicts)]
    quarantine.keep(named, outcomes, now=now, codes=settings.USAGE_QUARANTINE if heard else None)
    for status, count in Counter(outcome.status for outcome in outcomes).items():
        metrics.usage_taken(status, count)
    return outcomes


take_durably = pipelined(take)


def _outcome(position: int, verdict: Place | Outcome, known: Mapping[int, Outcome | None]) -> Outcome:
    """What is known goes before what is wrong with it: a late repeat is a repeat."""
    if position in known:
        return known[position] or ACCEPTED
    if isinstance(verdict, Place):
        raise AssertionError("an event that is wanted is claimed or known")
    return verdict


class Sums:
    """Events that are to be counted, as they are written, and what they come to at each place."""

    def __init__(self, named: Named, places: Mapping[int, Place]) -> None:
        self.events = [(named.events[position], place) for position, place in places.items()]
        self.spots = gather(self.events)
        self.columns = _columns(self.events, [named.keys[position] for position in places])


@exact
def _count(sums: Sums, now: datetime) -> None:
    """Write events that were claimed, and all that they come to. What can be done before accounts are locked, is."""
    with sql.pipeline():
        sql.run(WRITE, (now, *sums.columns))
        prices = {spot.place.price.id: spot.place.price for spot in sums.spots}
        locked = totals.lock({_group(spot.place) for spot in sums.spots}, prices, now=now)
        _add(sums.spots, locked, now)
        if any(spot.place.meter.aggregation == Meter.Aggregation.UNIQUE for spot in sums.spots):
            _count_values(sums.events, locked)
        locked.rate()
        for aggregation, minutes in _by_aggregation(sums.spots).items():
            rollups.add(aggregation, minutes)
        totals.write(locked, now=now)
    _tell(locked)


def _group(place: Place) -> Group:
    return Group(place.wallet.id, place.month, place.meter.id)


def _add(found: Sequence[Spot], locked: Totals, now: datetime) -> None:
    """Add what was found to the months and accounts."""
    earliest: dict[UUID, datetime] = {}
    for spot in found:
        month, wallet = locked.month(_group(spot.place), spot.place.price), spot.place.wallet.id
        month.join(spot.place.meter.aggregation, spot.whole)
        month.moved = True
        earliest[wallet] = min(earliest.get(wallet, spot.earliest), spot.earliest)
    for wallet, moment in earliest.items():
        locked.accounts[wallet].move(moment, now)


def _by_aggregation(found: Sequence[Spot]) -> dict[str, list[tuple[Minute, Folded]]]:
    """What came together in each minute, by how that is counted."""
    counted: dict[str, list[tuple[Minute, Folded]]] = {}
    for spot in found:
        wallet, meter, price, _ = spot.place
        counted.setdefault(meter.aggregation, []).extend(
            (Minute(wallet.id, at, meter.id, price.id), folded) for at, folded in spot.minutes.items()
        )
    return counted


def _count_values(events: Iterable[tuple[Event, Place]], locked: Totals) -> None:
    """Different values: a month of theirs grows by those that weren't known."""
    found = values.add(
        (_group(place), values.value_of(event, place), event.occurred_at)
        for event, place in events
        if place.meter.aggregation == Meter.Aggregation.UNIQUE
    )
    for group, count in found.items():
        (month,) = locked.months[group].values()
        month.quantity += count


def _tell(locked: Totals) -> None:
    """Once it is committed, whoever caches a wallet's usage hears of it, and a worker where one is low."""
    cache.write_through(locked)
    if totals.low(locked.accounts.values()):
        transaction.on_commit(lambda: bell.ring_soon("wallets.settle_usage", expires=RING_SECONDS))


WRITE = """
INSERT INTO wallets_usageevent (received_at, occurred_at, key, wallet_id, meter_id, quantity, source, event_id,
                                properties)
SELECT %s, e.*
FROM unnest(%s::timestamptz[], %s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[], %s::text[], %s::text[], %s::jsonb[])
    AS e
"""


def _columns(events: Sequence[tuple[Event, Place]], keys: Sequence[bytes]) -> tuple[sql.Array, ...]:
    """What is written of events, an array for each column: as WRITE takes them."""
    return (
        sql.moments(event.occurred_at for event, _ in events), sql.hashes(keys),
        sql.uuids(event.wallet for event, _ in events), sql.uuids(place.meter.id for _, place in events),
        sql.decimals(event.quantity for event, _ in events), sql.texts(event.source for event, _ in events),
        sql.texts(event.event_id for event, _ in events), sql.texts(event.document for event, _ in events),
    )  # fmt: skip
