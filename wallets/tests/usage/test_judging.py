"""A batch looks once at what its events have in common: each is judged as it would be alone, in whatever order."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.access import Access
from wallets.models import Wallet
from wallets.usage.catalogue import Catalogue, Metered
from wallets.usage.events import Event
from wallets.usage.judging import Bounds, Judge, Place
from wallets.usage.months import month_of
from wallets.usage.pricing import Price, Tier

START = datetime(2026, 2, 20, tzinfo=UTC)
HOURS = 24 * 30
ALICE, BOB, KOFI, CLOSED = (UUID(int=number) for number in range(1, 5))


def at(hour):
    return START + timedelta(hours=hour)


def version(number, begins, ends):
    tiers = (Tier(None, Decimal(number)),)
    return Price(UUID(int=number), at(begins), None if ends is None else at(ends), Decimal(0), None, tiers)


def catalogue(everybodys=(), own=(), **meter):
    given = {"slug": "calls", "aggregation": "sum", "property": "", "is_active": True} | meter
    prices = {"NGN": list(everybodys), "GHS": [version(200, 25, 400)]}
    own_prices = {("NGN", ALICE): list(own)} if own else {}
    metered = Metered(UUID(int=9), **given, prices=prices, own_prices=own_prices)
    wallets = {id: Access(id, currency, status, UUID(int=8)) for id, currency, status in WALLETS}
    return Catalogue(wallets, {"calls": metered})


WALLETS = [
    (ALICE, "NGN", Wallet.Status.ACTIVE), (BOB, "NGN", Wallet.Status.ACTIVE), (KOFI, "GHS", Wallet.Status.ACTIVE),
    (CLOSED, "NGN", Wallet.Status.CLOSED),
]  # fmt: skip


def event(moment, wallet=ALICE, meter="calls", quantity=1, **properties):
    return Event("s", "e", wallet, meter, Decimal(quantity), moment, properties)


@st.composite
def versions(draw, first):
    """Versions of a price: each ends where the next begins, or before; the last maybe never."""
    turns = sorted(draw(st.sets(st.integers(0, HOURS), min_size=2, max_size=6)))
    ends = [draw(st.sampled_from([end, max(begin + 1, end - 5)])) for begin, end in pairwise(turns)]
    last = draw(st.sampled_from([None, turns[-1] + 1]))
    return [version(first + n, begin, end) for n, (begin, end) in enumerate(zip(turns, [*ends, last], strict=True))]


told = st.tuples(st.sampled_from((ALICE, BOB, KOFI)), st.floats(-1, HOURS + 9).map(at))


@given(versions(1), st.one_of(st.just([]), versions(100)), st.lists(told, min_size=1, max_size=40))
def test_an_event_counts_where_it_would_count_alone(everybodys, own, events):
    found = catalogue(everybodys, own)
    judge, meter = Judge(found, None).judge, found.meters["calls"]
    places = {}
    for id, moment in events + [(id, price.starts_at) for price in [*everybodys, *own] for id in (BOB, ALICE, KOFI)]:
        wallet, verdict = found.wallets[id], judge(event(moment, wallet=id))
        price = meter.price(wallet, moment)
        if price is None:
            assert verdict.code == "no_price"
        else:
            assert verdict == Place(wallet, meter, price, month_of(moment))
            assert places.setdefault((id, price.id, verdict.month), verdict) is verdict


BOUNDS = Bounds(at(10), at(20))
ALWAYS = version(1, 0, None)
REFUSALS = [
    ("unknown_wallet", {}, event(at(15), wallet=UUID(int=77))),
    ("unknown_meter", {}, event(at(15), meter="other")),
    ("wallet_closed", {}, event(at(5), wallet=CLOSED)),
    ("meter_inactive", {"is_active": False}, event(at(15))),
    ("too_old", {}, event(at(9.99))),
    ("in_future", {}, event(at(20.01))),
    ("negative_quantity", {"aggregation": "max"}, event(at(15), quantity=-1)),
    ("property_missing", {"property": "user"}, event(at(15), user=None)),
    ("no_price", {}, event(at(15), wallet=KOFI)),
    # What can't be mended by a price, or by waiting, is said first.
    ("negative_quantity", {"aggregation": "max"}, event(at(15), wallet=KOFI, quantity=-1)),
    ("too_old", {"aggregation": "max"}, event(at(9), quantity=-1)),
]


@pytest.mark.parametrize(("code", "meter", "told"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_an_event_that_cant_count_is_told_why_each_time(code, meter, told):
    judge = Judge(catalogue([ALWAYS], **meter), BOUNDS).judge
    assert [judge(told).code for _ in range(2)] == [code, code]


def test_what_would_occur_when_no_month_is_to_come_is_never_taken():
    judge, last = Judge(catalogue([ALWAYS]), None).judge, datetime.max.replace(tzinfo=UTC)
    assert [judge(event(last - timedelta(days=days))).code for days in (0, 30)] == ["in_future"] * 2
    assert isinstance(judge(event(last - timedelta(days=31))), Place)


@pytest.mark.parametrize("moment", [at(10), at(20)])
def test_bounds_are_included_and_a_sum_takes_back(moment):
    assert isinstance(Judge(catalogue([ALWAYS]), BOUNDS).judge(event(moment, quantity=-1)), Place)
