"""Estimates on shapes of usage: their intervals hold as often as they say, and the better method is the one used."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.tests.usage.traces import DAY, SHAPES, trace
from wallets.usage import accuracy, forecasts
from wallets.usage.forecasts import HORIZONS, Forecast

START = datetime(2026, 3, 10, tzinfo=UTC)
amounts = st.lists(st.floats(0, 1e6), min_size=1, max_size=200)


def backtest(shape, seed, stride, horizons=HORIZONS, days=4):
    """A forecast from the day before, every so many minutes, held against what came: sums by horizon."""
    spent = trace(shape, seed, days * DAY)
    sums = list(accumulate(spent, initial=0.0))
    found = {minutes: Counter() for minutes in horizons}
    for at in range(DAY, len(spent) - max(horizons), stride):
        known = forecasts.trials(spent[at - DAY : at])
        rates = forecasts.latest(spent[at - DAY : at])
        for tried in (tried for tried in known if tried.minutes in horizons):
            came = sums[at + tried.minutes] - sums[at]
            ewma = abs(came - rates[tried.window] * forecasts.reach(tried.minutes * 60))
            found[tried.minutes].update(
                windows=1, within=tried.low <= came <= tried.high, none=came, ewma=ewma,
                auto=ewma if tried.better == "ewma" else came,
            )  # fmt: skip
    return found


def holds(shape, seeds, stride):
    found = [backtest(shape, seed, stride) for seed in seeds]
    total = sum((each for horizons in found for each in horizons.values()), Counter())
    assert 0.90 <= total["within"] / total["windows"] <= 0.99
    for minutes in HORIZONS:
        errors = sum((horizons[minutes] for horizons in found), Counter())
        assert errors["auto"] <= 1.05 * min(errors["none"], errors["ewma"])


@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_cover_and_auto_is_the_better_method(shape):
    holds(shape, [1, 2], stride=89)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_cover_and_auto_is_the_better_method_for_long(shape):
    holds(shape, range(1, 9), stride=11)


BETTER = {"steady": "ewma", "daily": "ewma", "bursts": "none", "cron": "none", "sparse": "none"}


@pytest.mark.parametrize("shape", BETTER)
def test_the_rate_is_believed_where_it_helps(shape):
    (tried,) = [tried for tried in forecasts.trials(trace(shape, 1, DAY)) if tried.minutes == 5]
    assert tried.better == BETTER[shape]


@pytest.mark.parametrize("minutes", HORIZONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_wallets_own_accuracy_says_the_same(shape, minutes):
    told = accuracy.tried(trace(shape, 1, 2 * DAY), minutes)
    assert 0.9 <= told.coverage <= 1
    assert told.auto <= Decimal("1.05") * min(told.none, told.ewma)


def test_accuracy_foretells_what_the_estimate_would_have_told():
    spent, minutes = trace("daily", 1, 2 * DAY), 1
    told = list(accuracy.foretold(spent, minutes))
    assert len(told) == DAY
    for at in (0, 1, 700, DAY - 1):
        (known, *_) = forecasts.trials(spent[at : at + DAY])
        window = told[at]
        assert window.spent == pytest.approx(spent[DAY + at])
        assert (window.low, window.high) == pytest.approx((known.low, known.high))
        assert (window.auto == 0) == (known.better == "none")


# Nobody knows the pattern of a day before it is over: the page says so, rather than hide it.
def test_the_accuracy_of_a_days_first_rhythm_is_told_as_poor_as_it_was():
    assert accuracy.tried(trace("daily", 1, DAY), 15).coverage < 0.9


@given(amounts)
def test_an_interval_is_never_below_nothing_and_in_order(spent):
    known = Forecast(1, START, 0, {}, forecasts.trials(spent))
    for seconds in (0, 1, 59, 60, 61, 1_000, 4_000):
        low, high = known.bounds(seconds)
        assert 0 <= low <= high


@given(amounts, st.integers(0, 1))
def test_a_rate_lies_between_the_least_and_the_most(spent, window):
    rate = forecasts.rates(spent, window)[-1] * 60
    assert min(spent) - 1e-6 <= rate <= max(spent) * (1 + 1e-9) + 1e-6


def test_a_rate_fades_with_silence():
    reached = [forecasts.reach(hours * 3_600) for hours in (0, 1, 12, 240)]
    assert reached[0] == 0
    assert reached[1] == pytest.approx(3_600, rel=0.1)
    assert reached[3] < reached[2] < 3_600


def test_two_windows_of_a_new_wallet_promise_little():
    (tried, *_) = forecasts.trials([10.0, 0.0])
    assert (tried.low, tried.high) == (0, 10)
