"""What a wallet will have spent by now: how fast it does, how that went lately, and within which bounds. Pure.

The past is told in minutes, each with what was spent in it at today's prices. Nothing here is money that moves: it is
statistics, so that floats do.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, chain, repeat
from typing import Literal, NamedTuple
from uuid import UUID

Method = Literal["none", "ewma"]

# How far back it looks: a day, so that a day's pattern is in it.
HISTORY = timedelta(days=1)
# A rate forgets in so many seconds all but 1/e of a minute: the longer it is to hold, the longer it remembers.
WINDOWS = (900, 3_600)
# A rate that nothing confirms fades, in so many minutes to 1/e.
FADE_MINUTES = 240.0
# Over how many minutes methods are tried and spends are counted.
HORIZONS = (1, 5, 15, 60)
CONFIDENCE = 0.95
# A rate is believed where it is less wrong than no rate by more than chance.
PLAINLY = 0.95


class Trial(NamedTuple):
    """How a horizon of so many minutes went in the past: each method's mean error, and within what 95 % of spends
    were; minor units.
    """

    minutes: int
    windows: int
    none: float
    ewma: float
    low: float
    high: float

    @property
    def window(self) -> int:
        """Which of the rates is tried, among those of WINDOWS."""
        return window_of(self.minutes)

    @property
    def better(self) -> Method:
        """The method that was less wrong."""
        return "ewma" if self.ewma < self.none * PLAINLY else "none"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the minutes before a moment tell: it holds until there are others, or until those change.

    `rates` are quantities a second by meter, one for each of WINDOWS. `version` is the account's when it was made.
    """

    version: int
    until: datetime
    revised: int
    rates: dict[UUID, tuple[float, ...]]
    trials: tuple[Trial, ...]

    def trial(self, seconds: float) -> Trial | None:
        """What tells of so many seconds: the shortest horizon that isn't shorter, or the longest. None without past."""
        longer = (trial for trial in self.trials if trial.minutes * 60 >= seconds)
        return next(longer, self.trials[-1] if self.trials else None)

    def bounds(self, seconds: float) -> tuple[float, float]:
        """Between which amounts what is spent in so many seconds should lie."""
        if not self.trials or seconds <= 0:
            return 0.0, 0.0
        minutes = seconds / 60
        before = Trial(0, 0, 0.0, 0.0, 0.0, 0.0)
        for trial in self.trials:
            if minutes <= trial.minutes:
                part = (minutes - before.minutes) / (trial.minutes - before.minutes)
                return (
                    before.low + part * (trial.low - before.low),
                    before.high + part * (trial.high - before.high),
                )
            before = trial
        return before.low * minutes / before.minutes, before.high * minutes / before.minutes


def reach(seconds: float) -> float:
    """For how many seconds a rate is projected, when nothing was heard for so many: it fades with silence."""
    return seconds * math.exp(-((seconds / 60 / FADE_MINUTES) ** 2))


# What is left of a minute when the next one is over, for each of WINDOWS.
FORGET = tuple(math.exp(-60 / seconds) for seconds in WINDOWS)


def _weights(seconds: int, forget: float) -> tuple[float, ...]:
    """What so many minutes weigh together, from one on, until more of them make no difference."""
    found, weight = [], 0.0
    for _ in range(40 * seconds // 60):
        weight = weight * forget + 1.0
        found.append(weight)
    return tuple(found)


WEIGHTS = tuple(map(_weights, WINDOWS, FORGET))


def rates(minutes: Sequence[float], window: int) -> list[float]:
    """How much a second, after each of the minutes: the latest count most."""
    forget, weights = FORGET[window], chain(WEIGHTS[window], repeat(WEIGHTS[window][-1]))
    totals = accumulate(minutes, lambda total, amount: total * forget + amount)
    return [total / weight / 60 if total > 0 else 0.0 for total, weight in zip(totals, weights, strict=False)]


def latest(minutes: Sequence[float]) -> tuple[float, ...]:
    """The rates after the last of the minutes."""
    return tuple(_last(minutes, window) if minutes else 0.0 for window in range(len(WINDOWS)))


def _last(minutes: Sequence[float], window: int) -> float:
    forget, weights, total = FORGET[window], WEIGHTS[window], 0.0
    for amount in minutes:
        total = total * forget + amount
    return total / weights[min(len(minutes), len(weights)) - 1] / 60 if total > 0 else 0.0


def trials(spent: Sequence[float]) -> tuple[Trial, ...]:
    """Try the methods on the past, over each horizon that it has room for."""
    sums = list(accumulate(spent, initial=0.0))
    known = [rates(spent, window) for window in range(len(WINDOWS))]
    return tuple(_trial(minutes, sums, known[window_of(minutes)]) for minutes in HORIZONS if minutes <= len(spent))


def window_of(minutes: int) -> int:
    """The shortest that isn't shorter than a horizon, or the longest."""
    return next((place for place, seconds in enumerate(WINDOWS) if seconds >= minutes * 60), len(WINDOWS) - 1)


def _trial(minutes: int, sums: Sequence[float], known: Sequence[float]) -> Trial:
    # Long windows begin ever so many minutes: those in between would tell nearly the same.
    step, far = max(1, minutes // 5), reach(minutes * 60)
    spends = (after - before for before, after in zip(sums[::step], sums[minutes::step], strict=False))
    windows = [spent if spent > 0.0 else 0.0 for spent in spends]
    # The rate after a minute is tried on the minutes that follow it.
    tried = zip(windows[1:], known[step - 1 :: step], strict=False)
    errors = [abs(spent - rate * far) for spent, rate in tried]
    actual = windows[1:] or windows
    low, high = quantiles(sorted(windows), len(windows) * step / minutes)
    return Trial(
        minutes, len(windows), sum(actual) / len(actual), sum(errors) / len(errors) if errors else math.inf, low, high
    )


def quantiles(ordered: Sequence[float], independent: float) -> tuple[float, float]:
    """Between which two values 95 % of the next ones should lie. Of windows that overlap only so many tell something
    of their own: the fewer, the further out.
    """
    tail, last = max(0.0, (1 - CONFIDENCE) / 2 - 1 / (2 * independent)), len(ordered) - 1
    return ordered[math.floor(last * tail)], ordered[math.ceil(last * (1 - tail))]


def blend(quantities: Mapping[UUID, Sequence[float]], prices: Mapping[UUID, float]) -> list[float]:
    """What was spent in each minute, from each meter's quantities and what one of them costs."""
    parts = [[quantity * price for quantity in quantities[meter]] for meter, price in prices.items()]
    return parts[0] if len(parts) == 1 else [sum(minute) for minute in zip(*parts, strict=True)]
