"""How a wallet's month stands, meter by meter: what an estimate is priced with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ledger import sql
from wallets.usage.catalogue import read_price
from wallets.usage.pricing import Position, Price, positions


class Charge(NamedTuple):
    """A meter's latest price in a month, and where the month stands under it."""

    meter: UUID
    price: Price
    base: Decimal
    quantity: Decimal

    @property
    def position(self) -> Position:
        """As pricing has it."""
        return Position(self.price, self.base, self.quantity)


@dataclass(frozen=True, slots=True)
class Profile:
    """A wallet's month at a version of its account."""

    version: int
    month: date
    charges: tuple[Charge, ...]


def profile(version: int, month: date, meters: Mapping[UUID, Mapping[Price, Decimal]]) -> Profile:
    """A profile from a month's quantities, by meter and price."""
    latest = {meter: positions(quantities)[-1] for meter, quantities in meters.items() if quantities}
    return Profile(version, month, tuple(Charge(meter, *position) for meter, position in sorted(latest.items())))


READ = """
SELECT a.wallet_id, a.version, m.meter_id, m.quantity,
       p.id, p.starts_at, p.ends_at, p.allowance, p.package_size, p.tiers::text
FROM unnest(%s::uuid[], %s::date[]) AS w (id, month)
JOIN wallets_usageaccount a ON a.wallet_id = w.id
LEFT JOIN wallets_usagemonth m ON m.wallet_id = w.id AND m.month = w.month
LEFT JOIN wallets_meterprice p ON p.id = m.price_id
"""


def read(months: Mapping[UUID, date]) -> dict[UUID, Profile]:
    """The profiles of wallets, each in a month, as the database has them."""
    return ask(months)()


def ask(months: Mapping[UUID, date]) -> Callable[[], dict[UUID, Profile]]:
    """What `read` tells, asked for now and read later."""
    rows = sql.ask(READ, (sql.uuids(months), sql.days(months.values())))

    def read() -> dict[UUID, Profile]:
        versions: dict[UUID, int] = {}
        meters: dict[UUID, dict[UUID, dict[Price, Decimal]]] = {}
        for wallet, version, meter, quantity, *price in rows():
            versions[wallet] = version
            if meter is not None:
                meters.setdefault(wallet, {}).setdefault(meter, {})[read_price(*price)] = quantity
        return {
            wallet: profile(version, months[wallet], meters.get(wallet, {})) for wallet, version in versions.items()
        }

    return read
