"""How good estimates were: each method and its interval, tried minute by minute on what had been before."""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from uuid import UUID

from users.callers import Caller
from wallets.access import NotFound
from wallets.balances import Ask
from wallets.usage import balances, forecasts, history, profiles
from wallets.usage.amounts import MICRO, ZERO
from wallets.usage.months import MINUTE, month_of

# So much of the past only teaches; the rest is told in advance, and compared.
TEACHES = 4


@dataclass(frozen=True, slots=True)
class Horizon:
    """How estimates so many minutes ahead went: mean errors of each method, in minor units; `coverage` is the part of
    windows within the interval.
    """

    minutes: int
    windows: int
    coverage: float
    none: Decimal
    ewma: Decimal
    auto: Decimal


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The horizons that a wallet's past has room for, and from when till when that is."""

    currency: str
    since: datetime
    until: datetime
    horizons: list[Horizon]


def of(caller: Caller, wallet_id: UUID, *, now: datetime) -> Accuracy:
    """How good estimates of a wallet were in the last day. Raises NotFound."""
    (balance,) = balances.read([Ask(caller, wallet_id)], now=now)
    if isinstance(balance, NotFound):
        raise balance
    if balance.usage is None:
        return Accuracy(balance.standing.currency, now, now, [])
    found = profiles.read({wallet_id: month_of(balance.usage.watermark)})
    spent = history.read({wallet_id: balance.usage}, found)[wallet_id]
    until = spent.past.until
    horizons = [each for minutes in forecasts.HORIZONS if (each := tried(spent.spent, minutes))]
    return Accuracy(balance.standing.currency, until - len(spent.spent) * MINUTE, until, horizons)


@dataclass(frozen=True, slots=True)
class Window:
    """A window that was foretold: what was spent in it, what was projected, within which bounds, and the errors that
    each method had made by its start.
    """

    spent: float
    projected: float
    low: float
    high: float
    none_before: float
    ewma_before: float

    @property
    def auto(self) -> float:
        """What `auto` would have projected."""
        return self.projected if self.ewma_before < self.none_before * forecasts.PLAINLY else 0.0


def tried(spent: Sequence[float], minutes: int) -> Horizon | None:
    """Foretell each window of so many minutes from those before it; None where there is no room for one."""
    windows = list(foretold(spent, minutes))
    windows = windows[len(windows) // TEACHES :]
    if not windows:
        return None
    within = sum(window.low <= window.spent <= window.high for window in windows)
    return Horizon(
        minutes, len(windows), within / len(windows), _mean([window.spent for window in windows]),
        _mean([abs(window.spent - window.projected) for window in windows]),
        _mean([abs(window.spent - window.auto) for window in windows]),
    )  # fmt: skip


def foretold(spent: Sequence[float], minutes: int) -> Iterator[Window]:
    """Every window, with what the minutes before it told."""
    sums = list(accumulate(spent, initial=0.0))
    actual = [max(0.0, sums[end] - sums[end - minutes]) for end in range(minutes, len(sums))]
    rates = forecasts.rates(spent, forecasts.window_of(minutes))
    projected = [rate * forecasts.reach(minutes * 60) for rate in rates]
    seen: list[float] = []
    none = ewma = 0.0
    for start in range(minutes, len(actual)):
        ended = start - minutes
        insort(seen, actual[ended])
        if ended:
            none, ewma = none + actual[ended], ewma + abs(actual[ended] - projected[ended - 1])
        low, high = forecasts.quantiles(seen, len(seen) / minutes)
        yield Window(actual[start], projected[start - 1], low, high, none, ewma)


def _mean(values: Sequence[float]) -> Decimal:
    return Decimal(f"{sum(values) / len(values):.6f}").quantize(MICRO) if values else ZERO
