"""Holds: placed, captured, released, expired to the instant; and what they leave to spend."""

from datetime import timedelta

import pytest
from django.db import transaction

from ledger import holds, verify
from ledger.decision import HoldClosed, InsufficientFunds
from ledger.posting import post, post_one
from ledger.requests import PENDING, Close, Place, Posting
from ledger.tests.conftest import NOW, transfer

SOON = NOW + timedelta(hours=1)


@pytest.fixture
def held(books):
    """400 of Alice's 1,000, until further notice."""
    books.fund(books.alice, 1_000)
    hold = Place(books.alice.id, 400, "hold:1")
    holds.place(hold, now=NOW)
    return hold


def test_what_is_held_is_hers_but_not_to_spend(books, held):
    standing = books.standing(books.alice)
    assert (standing.balance, standing.held, standing.available) == (1_000, 400, 600)
    with pytest.raises(InsufficientFunds):
        post_one(transfer(books.alice, books.bob, 601, "t:1"), now=NOW)
    assert books.standing(books.alice) == standing


def test_more_than_is_available_cant_be_held(books, held):
    with pytest.raises(InsufficientFunds):
        holds.place(Place(books.alice.id, 601, "hold:2"), now=NOW)
    assert books.standing(books.alice).held == 400


def test_a_capture_spends_part_and_gives_the_rest_back(books, held):
    legs = (books.alice.debit(300), books.cash.credit(300))
    holds.capture(books.alice.id, held.id, 300, legs, kind="withdrawal", reference="w:1", now=NOW)
    standing = books.standing(books.alice)
    assert (standing.balance, standing.held, standing.available) == (700, 0, 700)


def test_a_capture_may_spend_the_last_of_it(books, held):
    post_one(transfer(books.alice, books.bob, 600, "t:1"), now=NOW)
    legs = (books.alice.debit(400), books.cash.credit(400))
    holds.capture(books.alice.id, held.id, 400, legs, kind="withdrawal", reference="w:1", now=NOW)
    assert books.standing(books.alice).balance == 0


def test_a_release_gives_it_all_back(books, held):
    holds.release(books.alice.id, held.id, now=NOW)
    assert books.available(books.alice) == 1_000


@pytest.mark.parametrize("account", ["alice", "bob"])
def test_a_hold_is_closed_once_and_by_its_own_account(books, held, account):
    if account == "alice":
        holds.release(books.alice.id, held.id, now=NOW)
    before = books.standing(books.alice)
    with pytest.raises(HoldClosed):
        holds.release(getattr(books, account).id, held.id, now=NOW)
    assert books.standing(books.alice) == before


def test_two_closes_in_one_batch_close_once(books, held):
    close = Close(books.alice.id, held.id)
    posted = post([Posting("release", "r", closes=(close,)), Posting("release", "r", closes=(close,))], now=NOW)
    assert [refusal and refusal.code for refusal in posted.refusals] == [None, "hold_closed"]
    assert books.available(books.alice) == 1_000


def test_pending_money_is_available_at_its_instant_without_any_worker(books):
    deposit = Posting(
        "deposit", "d:1", (books.cash.debit(500), books.alice.credit(500)),
        places=(Place(books.alice.id, 500, "d:1:pending", PENDING, SOON),),
    )  # fmt: skip
    post_one(deposit, now=NOW)
    just_before = SOON - timedelta(microseconds=1)
    assert (books.standing(books.alice, just_before).pending, books.available(books.alice, just_before)) == (500, 0)
    assert (books.standing(books.alice, SOON).pending, books.available(books.alice, SOON)) == (0, 500)
    with pytest.raises(InsufficientFunds):
        post_one(transfer(books.alice, books.bob, 1, "t:early"), now=just_before)
    posted = post_one(transfer(books.alice, books.bob, 500, "t:on-time"), now=SOON)
    assert posted.lane(books.alice.id).pending == 0
    assert verify.clean()


def test_an_expired_hold_frees_its_money_for_the_next_posting(books):
    books.fund(books.alice, 100)
    holds.place(Place(books.alice.id, 100, "hold:1", expires_at=SOON), now=NOW)
    posted = post([transfer(books.alice, books.bob, 60, "t:1"), transfer(books.alice, books.bob, 40, "t:2")], now=SOON)
    assert posted.refusals == [None, None]


def test_an_expired_hold_cant_be_captured(books):
    books.fund(books.alice, 100)
    hold = Place(books.alice.id, 100, "hold:1", expires_at=SOON)
    holds.place(hold, now=NOW)
    legs = (books.alice.debit(100), books.cash.credit(100))
    with pytest.raises(HoldClosed), transaction.atomic():
        holds.capture(books.alice.id, hold.id, 100, legs, kind="withdrawal", reference="w:1", now=SOON)
    assert books.available(books.alice, SOON) == 100


def test_a_sweep_tidies_what_expired_and_moves_no_balance(books):
    books.fund(books.alice, 100)
    holds.place(Place(books.alice.id, 30, "hold:1", expires_at=SOON), now=NOW)
    before = books.standing(books.alice, SOON)
    assert (holds.sweep(now=NOW), holds.sweep(now=SOON), holds.sweep(now=SOON)) == (0, 1, 0)
    assert books.standing(books.alice, SOON) == before
    assert verify.clean()
