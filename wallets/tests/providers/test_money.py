import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.providers import reading
from wallets.providers.money import LARGEST, NotExact, json_number, to_major, to_minor

CURRENCIES = st.sampled_from(["NGN", "JPY", "KWD", "GHS", "XOF"])
AMOUNTS = st.integers(-LARGEST, LARGEST)


@pytest.mark.parametrize(
    ("amount", "currency", "major"),
    [(250050, "NGN", "2500.50"), (1, "NGN", "0.01"), (250050, "JPY", "250050"), (250050, "KWD", "250.050"),
     (0, "NGN", "0.00")],
)  # fmt: skip
def test_minor_units_are_major_ones_with_all_their_digits(amount, currency, major):
    assert str(to_major(amount, currency)) == major
    assert to_minor(Decimal(major), currency) == amount


@given(AMOUNTS, CURRENCIES)
def test_there_and_back_again(amount, currency):
    assert to_minor(to_major(amount, currency), currency) == amount


@given(AMOUNTS, CURRENCIES, st.integers(1, 30))
def test_what_is_finer_than_the_currency_is_refused_and_never_rounded(amount, currency, digits):
    finer = Decimal(f"{to_major(amount, currency)}{'' if currency not in ('JPY', 'XOF') else '.'}{'0' * (digits - 1)}1")
    with pytest.raises(NotExact):
        to_minor(finer, currency)


@pytest.mark.parametrize("text", ["1e999999999", "1e-999999999", "92233720368547758.08", "1" * 60, "-1e40"])
def test_a_hostile_number_is_refused_at_once(text):
    with pytest.raises(NotExact):
        to_minor(Decimal(text), "NGN")


@given(AMOUNTS, CURRENCIES)
def test_a_json_number_is_read_as_the_amount_by_everybody_or_not_sent(amount, currency):
    major = to_major(amount, currency)
    try:
        sent = json.dumps(json_number(major))
    except NotExact:
        assert abs(amount) > 2**53
        return
    assert Decimal(sent) == major
    assert Decimal(repr(float(sent))) == major


def test_a_number_beyond_binary_fractions_isnt_sent():
    with pytest.raises(NotExact):
        json_number(Decimal("90071992547409.93") * 100)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, Decimal(5)), (Decimal("26.875"), Decimal("26.875")), ("2500.50", Decimal("2500.50")), ("-3", Decimal(-3)),
        (True, None), (None, None), ("", None), ("1e3", None), ("NaN", None), (" 5", None), ("١", None), ([], None),
        ({}, None), (Decimal("1e999999999"), None), (10**40, None), ("9" * 31, None),
    ],
)  # fmt: skip
def test_only_numbers_are_read_as_numbers(value, number):
    assert reading.number(value) == number


def test_an_amount_that_isnt_exact_isnt_there():
    assert reading.minor(Decimal("2500.505"), "NGN") is None
    assert reading.minor(Decimal("2500.5"), None) is None
    assert reading.minor(Decimal("2500.5"), "NGN") == 250050
