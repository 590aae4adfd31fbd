"""What a batch of events needs to be rated: the wallets, meters and prices that it names, read at once."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from ledger import sql
from wallets.access import Access, ask_reach
from wallets.usage.events import Event
from wallets.usage.months import month_of, start
from wallets.usage.prices import SHARE_PRICES
from wallets.usage.pricing import Price, read_tiers


@dataclass(frozen=True, slots=True)
class Metered:
    """A meter as rating needs it, with its prices in order, by currency, and by the wallet whose own they are."""

    id: UUID
    slug: str
    aggregation: str
    property: str
    is_active: bool
    prices: dict[str, list[Price]] = field(default_factory=dict)
    own_prices: dict[tuple[str, UUID], list[Price]] = field(default_factory=dict)

    def price(self, wallet: Access, moment: datetime) -> Price | None:
        """The price that holds for a wallet at a moment: its own, or everybody's."""
        own, everybodys = self._versions(wallet)
        return _at(own, moment) or _at(everybodys, moment)

    def has_own_price(self, wallet: Access) -> bool:
        """Whether it has other prices for a wallet than for all that pay in its currency."""
        return (wallet.currency, wallet.id) in self.own_prices

    def turns(self, wallet: Access) -> list[datetime]:
        """The moments at which its price for a wallet may change."""
        turns = [(price.starts_at, price.ends_at) for versions in self._versions(wallet) for price in versions]
        return [turn for pair in turns for turn in pair if turn is not None]

    def _versions(self, wallet: Access) -> tuple[Sequence[Price], Sequence[Price]]:
        return self.own_prices.get((wallet.currency, wallet.id), ()), self.prices.get(wallet.currency, ())

    def add(self, currency: str, wallet: UUID | None, price: Price) -> None:
        """Note a version, the latest so far."""
        if wallet is None:
            self.prices.setdefault(currency, []).append(price)
        else:
            self.own_prices.setdefault((currency, wallet), []).append(price)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What was found, by the ids and slugs that events use."""

    wallets: dict[UUID, Access]
    meters: dict[str, Metered]


# In the order of their start, so that the last that has begun is the one in effect.
METERS = """
SELECT m.id, m.slug, m.aggregation, m.property, m.is_active, p.currency, p.wallet_id,
       p.id, p.starts_at, p.ends_at, p.allowance, p.package_size, p.tiers::text
FROM wallets_meter m LEFT JOIN wallets_meterprice p ON p.meter_id = m.id
    AND (p.wallet_id IS NULL OR p.wallet_id = ANY (%s::uuid[])) AND (p.ends_at IS NULL OR p.ends_at > %s)
WHERE m.slug = ANY (%s::text[]) ORDER BY p.starts_at
"""


def look_up(events: Collection[Event]) -> Callable[[], Catalogue]:
    """Ask for the wallets, meters and prices of some events, to be read later. No price is announced until the caller's
    transaction ends.
    """
    since = start(month_of(min(event.occurred_at for event in events)))
    # By their numbers, which are told apart much sooner than ids.
    wallets = {event.wallet.int: event.wallet for event in events}.values()
    slugs = {event.meter for event in events}
    sql.run(SHARE_PRICES)
    reached, meters = ask_reach((), wallets), _ask_meters(slugs, wallets, since)
    return lambda: Catalogue(reached(), meters())


def read_meters(slugs: Iterable[str], wallets: Iterable[UUID], since: datetime) -> dict[str, Metered]:
    """Meters by their slugs, with the prices that hold for some wallets since a moment."""
    return _ask_meters(slugs, wallets, since)()


def _ask_meters(slugs: Iterable[str], wallets: Iterable[UUID], since: datetime) -> Callable[[], dict[str, Metered]]:
    asked = sql.ask(METERS, (sql.uuids(wallets), since, sql.texts(slugs)))

    def read() -> dict[str, Metered]:
        found: dict[str, Metered] = {}
        for id, slug, aggregation, property, is_active, currency, wallet, *price in asked():
            meter = found.setdefault(slug, Metered(id, slug, aggregation, property, is_active))
            if price[0] is not None:
                meter.add(currency, wallet, read_price(*price))
        return found

    return read


def read_price(
    id: UUID, starts_at: datetime, ends_at: datetime | None, allowance: Decimal, package_size: Decimal | None,
    tiers: str,
) -> Price:  # fmt: skip
    """A price as a query gives its columns, in the order of METERS. Moments of one zone are quickly compared."""
    ends_at = None if ends_at is None else ends_at.astimezone(UTC)
    return Price(id, starts_at.astimezone(UTC), ends_at, allowance, package_size, read_tiers(tiers))


def _at(versions: Sequence[Price], moment: datetime) -> Price | None:
    for price in reversed(versions):
        if price.starts_at <= moment:
            return price if price.ends_at is None or moment < price.ends_at else None
    return None
