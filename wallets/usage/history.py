"""A wallet's past in minutes, as forecasts need it: how much of each meter, and what that costs today."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ledger import sql
from wallets.usage import forecasts
from wallets.usage.amounts import ZERO, exact
from wallets.usage.balances import Usage
from wallets.usage.forecasts import Forecast
from wallets.usage.meters import ADDITIVE
from wallets.usage.months import MINUTE, minute_of
from wallets.usage.profiles import Charge, Profile

READ = """
SELECT a.wallet_id, a.version, a.revised, r.meter_id, r.at, r.quantity
FROM unnest(%s::uuid[], %s::timestamptz[]) AS w (id, since)
JOIN wallets_usageaccount a ON a.wallet_id = w.id
LEFT JOIN (wallets_usagerollup r JOIN wallets_meter m ON m.id = r.meter_id AND m.aggregation = ANY (%s::text[]))
    ON r.wallet_id = w.id AND r.at >= w.since AND r.grain = 60
"""


@dataclass(slots=True)
class Past:
    """A wallet's minutes before the one of its watermark, `until`, as they were at a version of its account."""

    version: int
    revised: int
    until: datetime
    used: dict[UUID, dict[datetime, Decimal]] = field(default_factory=dict)
    # What each meter counted since: its month without that is what the past left it at.
    since: dict[UUID, Decimal] = field(default_factory=dict)

    def add(self, meter: UUID, at: datetime, quantity: Decimal) -> None:
        """Note what a meter counted in a minute, perhaps under one of several prices."""
        if at < self.until:
            used = self.used.setdefault(meter, {})
            used[at] = used.get(at, ZERO) + quantity
        else:
            self.since[meter] = self.since.get(meter, ZERO) + quantity

    def minutes(self, opened_at: datetime) -> list[datetime]:
        """The minutes of which silence says something as well: a day's, or those since the wallet's first usage. A
        wallet that has none has the one that isn't over.
        """
        firsts = [min(used) for used in self.used.values()]
        start = max(self.until - forecasts.HISTORY, min([minute_of(opened_at), *firsts]))
        return [start + number * MINUTE for number in range((self.until - start) // MINUTE)] or [self.until]

    def quantities(self, meter: UUID, minutes: list[datetime]) -> list[float]:
        """What a meter counted in each of the minutes."""
        used = self.used.get(meter, {})
        if minutes == [self.until]:
            return [float(self.since.get(meter, ZERO))]
        return [float(used.get(minute, ZERO)) for minute in minutes]


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used and spent in each of some minutes, at today's prices."""

    past: Past
    quantities: dict[UUID, list[float]]
    spent: list[float]

    def forecast(self) -> Forecast:
        """What it tells of what comes."""
        rates = {meter: forecasts.latest(minutes) for meter, minutes in self.quantities.items()}
        return Forecast(
            self.past.version, self.past.until, self.past.revised, rates, forecasts.trials(self.spent)
        )  # fmt: skip


def read(usages: Mapping[UUID, Usage], profiles: Mapping[UUID, Profile]) -> dict[UUID, Spent]:
    """The past of wallets, from the day before the minute of each one's watermark."""
    return {
        wallet: _spent(past, usages[wallet], profiles[wallet])
        for wallet, past in _read(usages).items()
        if wallet in profiles
    }


def _read(usages: Mapping[UUID, Usage]) -> dict[UUID, Past]:
    ends = {wallet: minute_of(usage.watermark) for wallet, usage in usages.items()}
    starts = sql.moments(end - forecasts.HISTORY for end in ends.values())
    found: dict[UUID, Past] = {}
    for wallet, version, revised, meter, at, quantity in sql.rows(READ, (sql.uuids(ends), starts, sql.texts(ADDITIVE))):
        past = found.setdefault(wallet, Past(version, revised, ends[wallet]))
        if meter is not None:
            past.add(meter, at, quantity)
    return found


@exact
def _spent(past: Past, usage: Usage, profile: Profile) -> Spent:
    minutes = past.minutes(usage.opened_at)
    charges = [charge for charge in profile.charges if charge.meter in past.used or charge.meter in past.since]
    quantities = {charge.meter: past.quantities(charge.meter, minutes) for charge in charges}
    prices = {charge.meter: _price(charge, past, quantities[charge.meter]) for charge in charges}
    return Spent(past, quantities, forecasts.blend(quantities, prices) or [0.0] * len(minutes))


def _price(charge: Charge, past: Past, minutes: list[float]) -> float:
    """What one more of a meter's quantity cost when the last minute was over: the average of an hour's."""
    hour = Decimal(f"{max(1.0, 60 * sum(minutes) / len(minutes)):.9f}")
    position = charge.position._replace(quantity=charge.quantity - past.since.get(charge.meter, ZERO))
    return float((position.amount(hour) - position.amount()) / hour)
