"""What providers take for themselves: believed within reason, and posted without ever losing a part of a minor unit."""

from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets import provider_fees

FEES = st.decimals("0.000000001", "1000000", places=9)


@pytest.mark.parametrize(
    ("fee", "currency", "believed"),
    [
        ("25", "NGN", True), ("26.875", "NGN", True), ("0.000000001", "NGN", True), ("10000000000", "NGN", True),
        ("10000000000.001", "NGN", False), ("1000000000000", "JPY", True), ("0", "NGN", False), ("-5", "NGN", False),
        ("NaN", "NGN", False), ("Infinity", "NGN", False), ("0.0000000001", "NGN", False), (None, "NGN", False),
    ],
)  # fmt: skip
def test_a_fee_is_believed_within_reason(fee, currency, believed):
    assert provider_fees.is_believed(None if fee is None else Decimal(fee), currency) is believed


@pytest.mark.parametrize(("fee", "believed"), [("0.01", True), ("99.99", True), ("99.995", False), ("100", False)])
def test_of_what_is_paid_in_something_is_left(fee, believed):
    assert provider_fees.is_believed(Decimal(fee), "NGN", most=9_999) is believed


@given(st.lists(FEES, max_size=8), st.sampled_from(["NGN", "JPY", "KWD"]))
def test_what_is_posted_of_all_fees_is_their_sum_but_for_less_than_a_minor_unit(fees, currency):
    provider = uuid4().hex
    posted = sum(provider_fees.to_post(provider, currency, fee) for fee in fees)
    told = sum(fees, Decimal(0)).scaleb({"NGN": 2, "JPY": 0, "KWD": 3}[currency])
    assert 0 <= told - posted < 1


def test_two_halves_are_one_and_other_providers_have_nothing_of_it():
    half = Decimal("26.875")
    assert [provider_fees.to_post("a", "NGN", half) for _ in range(4)] == [2687, 2688, 2687, 2688]
    assert provider_fees.to_post("b", "NGN", half) == 2687
