"""What holds for usage whatever it is: by Hypothesis, against the oracle and against itself."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wallets.models import UsageMonth, UsageRollup, UsageValue
from wallets.tests.usage.conftest import START, read, tiers
from wallets.tests.usage.oracle import OraclePrice
from wallets.usage.amounts import EXACT, ZERO, are_quantities, quantity, written
from wallets.usage.events import Event, digest
from wallets.usage.folding import Folded
from wallets.usage.ingestion import take_durably
from wallets.usage.keys import CAREFUL_EVENTS, Repeats
from wallets.usage.pricing import Position, Price, Tier, positions

quantities = st.decimals(0, 10**6, places=4)
prices = st.decimals(0, 100, places=5)


@st.composite
def tariffs(draw, starts_at=START):
    """A price and the same for the oracle: units, packages or tiers, some of it free."""
    allowance = draw(st.sampled_from((ZERO, Decimal("0.5"), Decimal(1_000))))
    package = draw(st.none() | st.decimals("0.001", 10_000, places=3))
    edges = [] if package else sorted(draw(st.sets(st.decimals("0.01", 10**5, places=2), max_size=4)))
    steps = tuple((edge, draw(prices)) for edge in (*edges, None))
    price = Price(uuid4(), starts_at, None, allowance, package, tuple(Tier(*step) for step in steps))
    return price, OraclePrice(starts_at, steps, allowance, package)


@pytest.fixture(autouse=True)
def database():
    """Most of it is arithmetic."""


@pytest.fixture(autouse=True)
def exactly():
    from decimal import localcontext

    with localcontext(EXACT):
        yield


@given(tariffs(), quantities)
def test_a_price_is_what_the_oracle_says(tariff, used):
    price, oracle = tariff
    assert price.cost(used) == oracle.cost(used)


@given(tariffs(), quantities, quantities)
def test_more_never_costs_less(tariff, used, more):
    price, _ = tariff
    assert price.cost(used) <= price.cost(used + more)


@given(tariffs(), st.lists(quantities, min_size=1, max_size=5))
def test_a_month_costs_the_same_however_often_its_price_is_announced_anew(tariff, parts):
    price, _ = tariff
    versions = {
        Price(uuid4(), START + timedelta(days=number), None, price.allowance, price.package_size, price.tiers): part
        for number, part in enumerate(parts)
    }
    whole = Position(price, ZERO, sum(parts, ZERO)).amount()
    split = sum((position.amount() for position in positions(versions)), ZERO)
    assert 0 <= whole - split < Decimal("0.000001") * len(parts)


@given(st.decimals(-(10**14), 10**14, places=9))
def test_a_quantity_is_read_as_it_is_written(value):
    assert quantity(written(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_written_in_full_and_without_zeros_that_say_nothing(value):
    text = written(value)
    assert Decimal(text) == value and "E" not in text
    assert not text.endswith(".") and not ("." in text and text.endswith("0")) and text != "-0"


NEARLY = st.text("01.- e\n٣", max_size=4)


@given(st.lists(st.sampled_from(("0", "1", "-1.5", "12.000000001", "0.1234567891", "01")) | NEARLY, min_size=1))
def test_many_texts_are_quantities_where_each_is_one(texts):
    assert are_quantities(texts) == all(quantity(text) is not None for text in texts)


@given(
    st.decimals(-(10**14), 10**14, places=9),
    st.datetimes(timezones=st.sampled_from((UTC, timezone.get_fixed_timezone(150), timezone.get_fixed_timezone(-61)))),
)
def test_what_an_event_says_is_hashed_as_it_always_was(used, moment):
    event = Event("a", "b", UUID(int=7), "calls", used, moment)
    assert event.content == digest(f"{event.wallet.hex}\0calls\0{written(used)}\0{moment.isoformat()}\0")


KINDS = ("sum", "count", "max", "latest", "unique")
counted = st.tuples(
    st.integers(0, 2).map(lambda second: START + timedelta(seconds=second)), st.decimals(0, 10, places=1)
)


@given(st.sampled_from(KINDS), st.lists(counted, min_size=1, max_size=6), st.integers(1, 6), st.randoms())
def test_what_events_come_to_is_the_same_whole_and_in_parts(kind, events, cut, random):
    whole = Folded.of(kind, events)
    random.shuffle(events)
    parts = Folded()
    for part in (events[:cut], events[cut:]):
        if part:
            parts.join(kind, Folded.of(kind, part))
    assert (parts.quantity, parts.events, parts.latest_at) == (whole.quantity, whole.events, whole.latest_at)


facts = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.decimals(0, 1_000, places=3), st.integers(0, 40 * 86_400), st.integers(0, 3)
    ),
    min_size=1, max_size=25,
)  # fmt: skip
in_the_database = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def meters(db, metering):
    """A meter of each kind; the sum has tiers."""
    for kind in KINDS:
        tariff = tiers(("100", "0.7"), (None, "0.0301")) if kind == "sum" else "0.37"
        metering.meter(kind, tariff, aggregation=kind, property="user" if kind == "unique" else "")
    return metering


def events(wallet, told, source):
    """The events that facts tell of, under a source of their own."""
    return [
        Event(source, str(number), wallet.pk, kind, quantity, timezone.now() - timedelta(seconds=ago), {"user": user})
        for number, (kind, quantity, ago, user) in enumerate(told)
    ]


def counted(wallet):
    """All that a wallet's usage comes to, but for when that was."""
    models = (
        (UsageMonth, ("month", "meter_id", "price_id", "quantity", "events", "latest_at", "amount")),
        (UsageRollup, ("at", "meter_id", "price_id", "quantity", "events", "latest_at")),
        (UsageValue, ("meter_id", "month", "value", "first_at")),
    )
    return [sorted(model.objects.filter(wallet=wallet.pk).values_list(*fields)) for model, fields in models]


@in_the_database
@given(told=facts, data=st.data())
def test_order_duplicates_and_batches_change_nothing(meters, alice, told, data):
    plain, turned = alice.open(), alice.open()
    take_durably(events(plain, told, str(plain.pk)), now=timezone.now())
    batch = data.draw(st.permutations(events(turned, told, str(turned.pk)) * 2))
    while batch:
        size = data.draw(st.integers(1, len(batch)))
        take_durably(batch[:size], now=timezone.now())
        batch = batch[size:]
    assert counted(plain) == counted(turned)
    assert read(plain).unsettled == read(turned).unsettled


@in_the_database
@given(told=facts, data=st.data())
def test_a_settlement_leaves_current_as_it_was(meters, alice, shop, told, data):
    wallet = alice.open()
    shop.fund(wallet, data.draw(st.integers(1, 2_000)))
    batch = events(wallet, told, str(wallet.pk))
    while batch:
        take_durably(batch[:3], now=timezone.now())
        batch = batch[3:]
        before = read(wallet)
        made = meters.settle(wallet)
        after = read(wallet)
        assert after.current == before.current
        assert before.standing.balance - after.standing.balance == (made.amount if made else 0)


def test_an_id_is_a_hash_of_source_and_id_alone():
    one = Event("a", "b", UUID(int=1), "calls", Decimal(1), START)
    other = Event("a", "b", UUID(int=2), "else", Decimal(2), datetime.now(UTC))
    assert (one.key == other.key, one.content == other.content) == (True, False)
    assert Event("ab", "", UUID(int=1), "calls", Decimal(1), START).key != one.key


@pytest.mark.parametrize("properties, content", [
    ({}, "fe0bd009a13b7fdd338ab45a64bd2c20"), ({"b": 1, "a": "ü"}, "1308f61c4a52c29b48b66da44df637bf"),
])  # fmt: skip
def test_the_hashes_of_events_stay_what_they_are_since_those_taken_before_are_kept_by_them(properties, content):
    event = Event("gateway", "e-1", UUID(int=7), "calls", Decimal("1.50"), START, properties)
    assert event.key.hex() == "465bc7d02a42fe0b38b5370675a46143"
    assert event.content.hex() == content


def test_for_a_while_after_a_repeat_more_of_them_are_expected():
    repeats = Repeats()
    assert not repeats.expected(1)
    repeats.came()
    assert [repeats.expected(CAREFUL_EVENTS // 2) for _ in range(3)] == [True, True, False]
