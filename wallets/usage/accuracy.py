"""How good estimates were: each method and its interval, tried minute by minute on what had been in the day before."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from uuid import UUID

from django.conf import settings

from users.callers import Caller
from wallets.access import NotFound
from wallets.balances import Ask
from wallets.usage import balances, forecasts, history, profiles
from wallets.usage.amounts import MICRO, ZERO
from wallets.usage.months import MINUTE, month_of

# A day is told in advance and compared, each of its minutes from the day before that minute.
TOLD = forecasts.HISTORY // MINUTE
# Of a wallet that isn't two days old so much only teaches, and the rest is told.
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
    # Older minutes were merged, and would look like silence.
    span = min(2 * forecasts.HISTORY, timedelta(days=settings.USAGE_MINUTE_DAYS))
    spent = history.read({wallet_id: balance.usage}, found, span=span)[wallet_id]
    until = spent.past.until
    horizons = [each for minutes in forecasts.HORIZONS if (each := tried(spent.spent, minutes))]
    return Accuracy(balance.standing.currency, until - min(TOLD, len(spent.spent)) * MINUTE, until, horizons)


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
    """Foretell each window of so many minutes from the day before it; None where there is no room for one."""
    windows = list(foretold(spent, minutes))
    if not windows:
        return None
    within = sum(window.low <= window.spent <= window.high for window in windows)
    return Horizon(
        minutes, len(windows), within / len(windows), _mean([window.spent for window in windows]),
        _mean([abs(window.spent - window.projected) for window in windows]),
        _mean([abs(window.spent - window.auto) for window in windows]),
    )  # fmt: skip


def foretold(spent: Sequence[float], minutes: int) -> Iterator[Window]:
    """The windows of the last day, each with what was known when it began."""
    sums = list(accumulate(spent, initial=0.0))
    actual = [max(0.0, sums[end] - sums[end - minutes]) for end in range(minutes, len(sums))]
    reached = forecasts.reach(minutes * 60)
    projected = [rate * reached for rate in forecasts.rates(spent, forecasts.window_of(minutes))]
    # The rate after a minute is tried on the window that follows it.
    missed = [0.0, *(abs(came - told) for came, told in zip(actual[1:], projected, strict=False))]
    none, ewma = list(accumulate(actual, initial=0.0)), list(accumulate(missed, initial=0.0))
    first = max(minutes, len(spent) - TOLD, (len(actual) + minutes * (TEACHES - 1)) // TEACHES)
    known = _Known()
    for start in range(minutes, len(actual)):
        begun, ended = max(0, start - TOLD), start - minutes + 1
        known.move(actual, begun, ended)
        if start >= first:
            low, high = forecasts.quantiles(known.ordered, (ended - begun) / minutes)
            yield Window(
                actual[start], projected[start - 1], low, high,
                none[ended] - none[max(1, begun)], ewma[ended] - ewma[max(1, begun)],
            )  # fmt: skip


class _Known:
    """The windows from one to before another, in order of what was spent in them."""

    def __init__(self) -> None:
        self.ordered: list[float] = []
        self.begun = self.ended = 0

    def move(self, actual: Sequence[float], begun: int, ended: int) -> None:
        """Take those that came, and let those go that are too long ago."""
        for came in actual[self.ended : ended]:
            insort(self.ordered, came)
        for gone in actual[self.begun : begun]:
            del self.ordered[bisect_left(self.ordered, gone)]
        self.begun, self.ended = begun, ended


def _mean(values: Sequence[float]) -> Decimal:
    return Decimal(f"{sum(values) / len(values):.6f}").quantize(MICRO) if values else ZERO
