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
ALICE, CLOSED = UUID(int=1), UUID(int=2)


def at(hour):
    return START + timedelta(hours=hour)


def version(number, begins, ends):
    tiers = (Tier(None, Decimal(number)),)
    return Price(UUID(int=number), at(begins), None if ends is None else at(ends), Decimal(0), None, tiers)


def catalogue(everybodys=(), own=(), **meter):
    given = {"slug": "calls", "aggregation": "sum", "property": "", "is_active": True} | meter
    prices, own_prices = {"NGN": list(everybodys)}, {("NGN", ALICE): list(own)} if own else {}
    metered = Metered(UUID(int=9), **given, prices=prices, own_prices=own_prices)
    wallets = {id: Access(id, "NGN", status, UUID(int=8)) for id, status in STATES.items()}
    return Catalogue(wallets, {"calls": metered})


STATES = {ALICE: Wallet.Status.ACTIVE, CLOSED: Wallet.Status.CLOSED}


def event(moment, wallet=ALICE, meter="calls", quantity=1, **properties):
    return Event("s", "e", wallet, meter, Decimal(quantity), moment, properties)


@st.composite
def versions(draw, first):
    """Versions of a price: each ends where the next begins, or before; the last maybe never."""
    turns = sorted(draw(st.sets(st.integers(0, HOURS), min_size=2, max_size=6)))
    ends = [draw(st.sampled_from([end, max(begin + 1, end - 5)])) for begin, end in pairwise(turns)]
    last = draw(st.sampled_from([None, turns[-1] + 1]))
    return [version(first + n, begin, end) for n, (begin, end) in enumerate(zip(turns, [*ends, last], strict=True))]


@given(versions(1), st.one_of(st.just([]), versions(100)), st.lists(st.floats(-1, HOURS + 9), min_size=1, max_size=40))
def test_an_event_counts_where_it_would_count_alone(everybodys, own, hours):
    found = catalogue(everybodys, own)
    judge, wallet = Judge(found, None).judge, found.wallets[ALICE]
    places = {}
    for moment in [at(hour) for hour in hours] + [turn for price in [*everybodys, *own] for turn in [price.starts_at]]:
        price = found.meters["calls"].price(wallet, moment)
        verdict = judge(event(moment))
        if price is None:
            assert verdict.code == "no_price"
        else:
            assert verdict == Place(wallet, found.meters["calls"], price, month_of(moment))
            assert places.setdefault((price.id, verdict.month), verdict) is verdict


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
]


@pytest.mark.parametrize(("code", "meter", "told"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_an_event_that_cant_count_is_told_why_each_time(code, meter, told):
    judge = Judge(catalogue([ALWAYS], **meter), BOUNDS).judge
    assert [judge(told).code for _ in range(2)] == [code, code]


@pytest.mark.parametrize("moment", [at(10), at(20)])
def test_bounds_are_included_and_a_sum_takes_back(moment):
    assert isinstance(Judge(catalogue([ALWAYS]), BOUNDS).judge(event(moment, quantity=-1)), Place)
