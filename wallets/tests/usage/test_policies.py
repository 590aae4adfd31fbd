"""What policies make of usage that a wallet can't cover: whatever the numbers, a settlement moves nothing of them."""

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wallets.usage import policies
from wallets.usage.policies import Overage

overages = st.sampled_from(Overage.values)
available = st.integers(-(10**6), 10**6)
usage = st.decimals(-(10**6), 10**6, places=6)
more = st.decimals(0, 10**6, places=6)
often = settings(max_examples=300)


@pytest.fixture(autouse=True)
def database():
    """All of it is arithmetic."""


@often
@given(overages, available, st.integers(-(10**6), 0), usage)
# What is given back is rounded up, and what that leaves unsettled is billed one day.
@example("bill", -1, 0, Decimal("-0.000001"))
def test_a_settlement_leaves_current_as_it_was(overage, available, floor, unsettled):
    taken, billed = policies.taken(overage, available, floor, unsettled)
    after = policies.current(overage, available - taken, unsettled - taken - billed)
    assert after == policies.current(overage, available, unsettled)


@often
@given(overages, available, usage, more)
def test_more_usage_never_leaves_more(overage, available, unsettled, more):
    assert policies.current(overage, available, unsettled + more) <= policies.current(overage, available, unsettled)


@given(available, more)
def test_what_is_billed_takes_nothing_below_zero(available, unsettled):
    left = policies.current(Overage.BILL, available, unsettled)
    assert left == (max(Decimal(0), available - unsettled) if available >= 0 else available)


@given(st.sampled_from((Overage.STOP, Overage.OVERDRAFT)), available, usage)
def test_what_isnt_billed_waits(overage, available, unsettled):
    assert policies.current(overage, available, unsettled) == available - unsettled
