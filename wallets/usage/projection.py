"""From what is known up to a watermark to what is likely now. Pure; and never more than what is known to be left."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from wallets.usage import forecasts
from wallets.usage.amounts import MICRO, ZERO, exact
from wallets.usage.balances import Balance
from wallets.usage.forecasts import WINDOWS, Forecast, Method
from wallets.usage.profiles import Profile

Projection = Literal["auto", "none", "ewma"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A balance, and what usage that wasn't reported yet may have taken of it; minor units.

    `lower` and `upper` are the bounds of 95 %. `runway_seconds` is how long what is left will last at this rate; None
    for ever.
    """

    balance: Balance
    watermark: datetime
    projected: Decimal
    method: Method
    lower: Decimal
    upper: Decimal
    rate_per_second: Decimal
    window_seconds: int
    runway_seconds: int | None

    @property
    def estimated(self) -> Decimal:
        """What is likely to be left: never above what is known to be."""
        return self.balance.after(self.projected)

    @property
    def error_bound(self) -> Decimal:
        """How far off it is at most, by the bounds."""
        return max(self.estimated - self.lower, self.upper - self.estimated)

    @property
    def staleness(self) -> timedelta:
        """How long ago the watermark is."""
        return self.balance.as_of - self.watermark


@exact
def estimate(
    balance: Balance, profile: Profile | None, forecast: Forecast | None, *, projection: Projection,
    max_age: float | None = None,
) -> Estimate:  # fmt: skip
    """Project a wallet's usage from its watermark to the moment of its balance.

    The watermark is when events were last taken. With `max_age` seconds it isn't further back: the balance was read
    just now, so that nothing that was acknowledged since is missing.
    """
    watermark = _watermark(balance, max_age)
    seconds = (balance.as_of - watermark).total_seconds()
    if profile is None or forecast is None:
        current = balance.current
        return Estimate(balance, watermark, ZERO, "none", current, current, ZERO, WINDOWS[0], None)
    trial = forecast.trial(seconds)
    window = trial.window if trial else 0
    method: Method = projection if projection != "auto" else trial.better if trial else "none"
    projected = ZERO if method == "none" else _cost(profile, forecast, window, forecasts.reach(seconds))
    low, high = (Decimal(f"{bound:.6f}") for bound in forecast.bounds(seconds))
    rate = _cost(profile, forecast, window, WINDOWS[window]) / WINDOWS[window]
    return Estimate(
        balance, watermark, projected, method, balance.after(max(high, projected)), balance.after(min(low, projected)),
        rate.quantize(MICRO), WINDOWS[window], _runway(balance.after(projected), rate),
    )  # fmt: skip


def _watermark(balance: Balance, max_age: float | None) -> datetime:
    known = balance.watermark
    return known if max_age is None else max(known, balance.as_of - timedelta(seconds=max_age))


def _cost(profile: Profile, forecast: Forecast, window: int, seconds: float) -> Decimal:
    """What so many seconds cost at the rates: quantities are projected, then priced."""
    total = ZERO
    for charge in profile.charges:
        rate = forecast.rates.get(charge.meter, (0.0,) * len(WINDOWS))[window]
        more = Decimal(f"{rate * seconds:.9f}")
        total += charge.position.amount(more) - charge.position.amount()
    return total


def _runway(left: Decimal, rate: Decimal) -> int | None:
    return None if rate <= 0 else int(max(ZERO, left) / rate)
