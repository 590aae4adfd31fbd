"""Many that are all or nothing are begun before their lanes are known. Where that was too hopeful it is undone, and
what comes of it is what more care would have given.
"""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction

from ledger import holds, posting, sql, verify
from ledger.accounts import NewAccount, find, find_one, open_accounts
from ledger.closing import PeriodClosed
from ledger.money import MAX_POSTING
from ledger.posting import Posting, ReferenceTaken, post, post_one
from ledger.requests import HELD, Close, Leg, Place
from ledger.tests.conftest import NOW, transfer

# Of ten, five are written on trust and the others in parts of three and two.
TEN = 10


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(posting, "FIRST", 2)
    monkeypatch.setattr(posting, "PART", 3)
    monkeypatch.setattr(posting, "TRUSTED", 5)


@pytest.fixture
def careful(monkeypatch):
    """Whoever is posted with care, by the number of postings."""
    seen, post_parts = [], posting._post_parts
    monkeypatch.setattr(posting, "_post_parts", lambda *args, **kwargs: seen.append(1) or post_parts(*args, **kwargs))
    return seen


def ten(books, **others):
    """Ten transfers of 10 from Alice to Bob, but for those that are given by their numbers, as `n4=…`."""
    return [others.get(f"n{n}") or transfer(books.alice, books.bob, 10, f"t:{n}") for n in range(TEN)]


def test_it_needs_no_more_care_where_all_goes_well(books, careful):
    books.fund(books.alice, 100)
    careful.clear()
    posted = post(ten(books), now=NOW, whole=True)
    assert posted.refusals == [None] * TEN
    assert (books.available(books.alice), books.available(books.bob)) == (0, 100)
    assert (posted.lane(books.bob.id).available, posted.lane(books.bob.id).version) == (100, 10)
    assert careful == []
    assert verify.clean()


ODD = {
    "insufficient_funds": lambda books: transfer(books.alice, books.bob, 10_000, "odd"),
    "currency_mismatch": lambda books: transfer(books.alice, books.dora, 10, "odd"),
    "unknown_account": lambda books: Posting("x", "odd", (books.alice.debit(1), Leg(UUID(int=5), -1))),
    "amount_too_large": lambda books: Posting(
        "x", "odd", (books.cash.debit(MAX_POSTING + 1), books.bob.credit(MAX_POSTING + 1))
    ),
}


@pytest.mark.parametrize("number", [0, 4, 5, 9])
@pytest.mark.parametrize("code", ODD)
def test_one_that_is_refused_leaves_nothing_of_any(books, code, number):
    books.fund(books.alice, 1_000)
    batch = ten(books, **{f"n{number}": ODD[code](books)})
    refusals = post(batch, now=NOW, whole=True).refusals
    assert [refusal and refusal.code for refusal in refusals] == [None] * number + [code] + [None] * (9 - number)
    assert (books.available(books.alice), books.available(books.bob)) == (1_000, 0)
    assert post(ten(books), now=NOW, whole=True).refusals == [None] * TEN
    assert verify.clean()


@pytest.mark.parametrize("number", [0, 4, 5, 9])
def test_a_reference_that_is_taken_is_told_as_such(books, number):
    books.fund(books.alice, 1_000)
    post_one(transfer(books.alice, books.bob, 1, f"t:{number}"), now=NOW)
    with pytest.raises(ReferenceTaken), transaction.atomic():
        post(ten(books), now=NOW, whole=True)
    assert books.available(books.bob) == 1


def test_a_closed_day_is_told_as_such(sealed):
    now = NOW + timedelta(days=3)
    late = Posting(
        "deposit", "late", (sealed.cash.debit(1), sealed.bob.credit(1)), effective_at=NOW - timedelta(hours=1)
    )
    with pytest.raises(PeriodClosed), transaction.atomic():
        post([*(Posting("deposit", f"d:{n}", (sealed.cash.debit(1), sealed.bob.credit(1))) for n in range(9)), late],
             now=now, whole=True)  # fmt: skip


def test_money_that_an_expired_hold_bound_is_there(books, careful):
    books.fund(books.alice, 100)
    holds.place(Place(books.alice.id, 60, "h:1", HELD, NOW + timedelta(minutes=1)), now=NOW)
    refusals = post(ten(books), now=NOW + timedelta(seconds=59), whole=True).refusals
    assert [number for number, refusal in enumerate(refusals) if refusal] == [4, 5, 6, 7, 8, 9]
    careful.clear()
    assert post(ten(books), now=NOW + timedelta(minutes=1), whole=True).refusals == [None] * TEN
    assert careful == [1]
    assert (books.available(books.alice), books.available(books.bob)) == (0, 100)
    assert verify.clean()


def test_no_entry_of_a_lane_is_before_the_one_before_it(books, careful):
    later = NOW + timedelta(milliseconds=5)
    books.fund(books.alice, 100, now=later)
    careful.clear()
    posted = post(ten(books), now=NOW, whole=True)
    assert careful == [1]
    assert posted.lane(books.alice.id).posted_at == later
    assert {row[0] for row in sql.rows("SELECT posted_at FROM ledger_transaction WHERE kind = 'transfer'")} == {later}
    assert verify.clean()


def test_what_only_looks_too_large_is_posted_with_care(books, careful, monkeypatch):
    """Ten of the largest are more than a balance may be, but for one that stands as far below zero."""
    monkeypatch.setattr(posting, "TRUSTED", 10)
    codes = ["assets:clearing:a", "assets:clearing:b"]
    open_accounts([NewAccount(code, "asset", "NGN") for code in codes], now=NOW)
    a, b = (find_one(code) for code in codes)

    def largest(source, destination, count):
        legs = source.credit(MAX_POSTING), destination.debit(MAX_POSTING)
        return [Posting("x", f"{source.code}:{n}", legs) for n in range(count)]

    post(largest(a, b, 9), now=NOW)
    careful.clear()
    assert post(largest(b, a, 10), now=NOW, whole=True).refusals == [None] * 10
    assert careful == [1]
    assert verify.clean()


def test_holds_are_moved_with_care_from_the_start(books, careful):
    books.fund(books.alice, 1_000)
    place = Place(books.alice.id, 400, "h:1")
    held = Posting("hold", "h:1", places=(place,))
    assert post(ten(books, n9=held), now=NOW, whole=True).refusals == [None] * TEN
    assert books.available(books.alice) == 1_000 - 90 - 400
    captured = Posting(
        "capture",
        "c:1",
        (books.alice.debit(400), books.bob.credit(400)),
        closes=(Close(books.alice.id, place.id, 400),),
    )
    again = [transfer(books.bob, books.alice, 10, f"back:{n}") for n in range(9)]
    assert post([captured, *again], now=NOW, whole=True).refusals == [None] * TEN
    assert (books.available(books.alice), books.available(books.bob)) == (600, 400)
    assert verify.clean()


def test_within_a_pipeline_it_is_posted_with_care(books, careful):
    books.fund(books.alice, 100)
    careful.clear()
    with sql.pipeline():
        assert post(ten(books), now=NOW, whole=True).refusals == [None] * TEN
    assert careful == [1]
    assert (books.available(books.alice), books.available(books.bob)) == (0, 100)


def test_what_is_larger_than_any_buffer_passes_both_ways(books, monkeypatch):
    """The server answers with the lanes while it is still being sent what to write."""
    monkeypatch.setattr(posting, "TRUSTED", 3_000)
    codes = [f"liabilities:wallets:{n}" for n in range(6_000)]
    open_accounts([NewAccount(code, "liability", "NGN", floor=0) for code in codes], now=NOW)
    lines = find(codes)
    batch = [
        Posting("deposit", f"d:{code}", (books.cash.debit(5), lines[code].credit(5)), description="x" * 200)
        for code in codes
    ]
    assert post(batch, now=NOW, whole=True).refusals == [None] * len(batch)
    assert books.standing(books.cash).balance == 5 * len(batch)
