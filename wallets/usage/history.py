"""A wallet's past in minutes, as forecasts need it: how much of each meter, and what that costs today."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from ledger import sql
from wallets.usage import forecasts
from wallets.usage.amounts import exact
from wallets.usage.balances import Usage
from wallets.usage.forecasts import Forecast
from wallets.usage.meters import ADDITIVE
from wallets.usage.months import MINUTE, minute_of
from wallets.usage.profiles import Charge, Profile

# A row for each meter: which minutes it counted something in, and how much. That is statistics, so floats do.
# The few meters are looked up once, and not for each of a day's minutes. A minute has a row for each price.
READ = """
SELECT a.wallet_id, a.version, a.revised, r.meter_id, r.minutes, r.quantities
FROM unnest(%s::uuid[], %s::timestamptz[]) AS w (id, since)
JOIN wallets_usageaccount a ON a.wallet_id = w.id
LEFT JOIN LATERAL (
    SELECT u.meter_id, array_agg(date_part('epoch', u.at - w.since)::int4 / 60) AS minutes,
           array_agg(u.quantity::float8) AS quantities
    FROM wallets_usagerollup u
    WHERE u.wallet_id = w.id AND u.at >= w.since AND u.grain = 60
        AND u.meter_id = ANY (ARRAY(SELECT id FROM wallets_meter WHERE aggregation = ANY (%s::text[])))
    GROUP BY u.meter_id
) AS r ON true
"""


@dataclass(slots=True)
class Past:
    """A wallet's minutes before the one of its watermark, `until`, as they were at a version of its account: so many
    as `span` has.
    """

    version: int
    revised: int
    until: datetime
    span: timedelta
    used: dict[UUID, list[float]] = field(default_factory=dict)
    # What each meter counted since: its month without that is what the past left it at.
    since: dict[UUID, float] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """How many minutes they are."""
        return self.span // MINUTE

    def add(self, meter: UUID, minutes: Sequence[int], quantities: Sequence[float]) -> None:
        """Note what a meter counted, by the minutes since the first."""
        length, since = self.length, 0.0
        used = [0.0] * length
        for minute, quantity in zip(minutes, quantities, strict=True):
            if minute < length:
                used[minute] += quantity
            else:
                since += quantity
        self.used[meter], self.since[meter] = used, since

    def begin(self, opened_at: datetime) -> int:
        """The first minute of which silence says something as well: the first, or when the wallet was first used."""
        opened = (minute_of(opened_at) - (self.until - self.span)) // MINUTE
        firsts = [
            next((at for at, quantity in enumerate(used) if quantity), self.length) for used in self.used.values()
        ]
        return max(0, min([opened, *firsts]))

    def quantities(self, meter: UUID, begin: int) -> list[float]:
        """What a meter counted in each minute from one on. A wallet that has none has the one that isn't over."""
        return self.used[meter][begin:] or [self.since[meter]]


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


def read(
    usages: Mapping[UUID, Usage], profiles: Mapping[UUID, Profile], *, span: timedelta = forecasts.HISTORY
) -> dict[UUID, Spent]:
    """The past of wallets, of so long before the minute of each one's watermark."""
    return ask(usages, span=span)(profiles)


def ask(
    usages: Mapping[UUID, Usage], *, span: timedelta = forecasts.HISTORY
) -> Callable[[Mapping[UUID, Profile]], dict[UUID, Spent]]:
    """What `read` tells, asked for now and read later, when the profiles are known."""
    ends = {wallet: minute_of(usage.watermark) for wallet, usage in usages.items()}
    starts = sql.moments(end - span for end in ends.values())
    rows = sql.ask(READ, (sql.uuids(ends), starts, sql.texts(ADDITIVE)))

    def read(profiles: Mapping[UUID, Profile]) -> dict[UUID, Spent]:
        found: dict[UUID, Past] = {}
        for wallet, version, revised, meter, minutes, quantities in rows():
            past = found.setdefault(wallet, Past(version, revised, ends[wallet], span))
            if meter is not None:
                past.add(meter, minutes, quantities)
        return {
            wallet: _spent(past, usages[wallet], profiles[wallet])
            for wallet, past in found.items()
            if wallet in profiles
        }

    return read


@exact
def _spent(past: Past, usage: Usage, profile: Profile) -> Spent:
    begin = past.begin(usage.opened_at)
    charges = [charge for charge in profile.charges if charge.meter in past.used]
    quantities = {charge.meter: past.quantities(charge.meter, begin) for charge in charges}
    prices = {charge.meter: _price(charge, past, quantities[charge.meter]) for charge in charges}
    return Spent(past, quantities, forecasts.blend(quantities, prices) or [0.0] * max(1, past.length - begin))


def _price(charge: Charge, past: Past, minutes: list[float]) -> float:
    """What one more of a meter's quantity cost when the last minute was over: the average of an hour's."""
    hour = Decimal(f"{max(1.0, 60 * sum(minutes) / len(minutes)):.9f}")
    position = charge.position._replace(quantity=charge.quantity - Decimal(f"{past.since[charge.meter]:.9f}"))
    return float((position.amount(hour) - position.amount()) / hour)
