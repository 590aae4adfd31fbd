"""What posting does, one at a time and in batches, and what it refuses."""

import pytest
from django.db import IntegrityError, connection, transaction

from ledger import posting, verify
from ledger.accounts import NewAccount, find_one, open_accounts, set_floor
from ledger.money import MAX_BALANCE, MAX_POSTING
from ledger.posting import OutsideTransaction, Posting, ReferenceTaken, lock, post, post_durably, post_one
from ledger.requests import Leg, MalformedPosting
from ledger.tests.conftest import NOW, transfer


def test_a_deposit_debits_cash_and_credits_the_wallet(books):
    posted = books.fund(books.alice, 1_000)
    assert posted.lane(books.alice.id).balance == -1_000
    assert books.available(books.alice) == 1_000
    assert books.standing(books.cash).balance == 1_000


def test_a_transfer_moves_money_and_counts_versions(books):
    books.fund(books.alice, 1_000)
    post_one(transfer(books.alice, books.bob, 300, "t:1"), now=NOW)
    assert (books.available(books.alice), books.available(books.bob)) == (700, 300)
    assert (books.standing(books.alice).version, books.standing(books.bob).version) == (2, 1)


def test_a_lane_that_is_asked_for_twice_is_locked_once(books):
    post_one(transfer(books.cash, books.bob, 7, "t:1"), now=NOW)
    keys = [(line.id, 0) for line in (books.alice, books.alice, books.bob)]
    locked = lock(keys, NOW)
    assert [(account, locked[account, lane].balance) for account, lane in keys] == [
        (books.alice.id, 0), (books.alice.id, 0), (books.bob.id, -7),
    ]  # fmt: skip


def test_a_floor_below_zero_is_a_credit_limit_and_no_more(books):
    set_floor(books.alice.id, -500)
    post_one(transfer(books.alice, books.bob, 500, "t:1"), now=NOW)
    refused = post([transfer(books.alice, books.bob, 1, "t:2")], now=NOW).refusals[0]
    assert (refused.code, refused.data["available"]) == ("insufficient_funds", 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        set_floor(books.alice.id, -499)
    assert books.standing(books.alice).balance == -500
    assert verify.clean()


def test_what_isnt_there_cant_be_spent(books):
    books.fund(books.alice, 1_000)
    posted = post([transfer(books.alice, books.bob, 1_001, "t:1")], now=NOW)
    assert posted.refusals[0].code == "insufficient_funds"
    assert posted.refusals[0].data["available"] == 1_000
    assert (books.available(books.alice), books.available(books.bob)) == (1_000, 0)


def test_each_of_a_batch_sees_what_those_before_it_did(books):
    books.fund(books.alice, 100)
    batch = [
        transfer(books.bob, books.alice, 1, "t:too-early"),
        transfer(books.alice, books.bob, 100, "t:all"),
        transfer(books.alice, books.bob, 1, "t:too-late"),
        transfer(books.bob, books.alice, 40, "t:back"),
    ]
    posted = post(batch, now=NOW)
    assert [refusal and refusal.code for refusal in posted.refusals] == [
        "insufficient_funds", None, "insufficient_funds", None,
    ]  # fmt: skip
    assert (books.available(books.alice), books.available(books.bob)) == (40, 60)


def test_a_whole_batch_is_all_or_nothing(books):
    books.fund(books.alice, 100)
    batch = [transfer(books.alice, books.bob, 60, "t:1"), transfer(books.alice, books.bob, 60, "t:2")]
    posted = post(batch, now=NOW, whole=True)
    assert posted.refusals[1].code == "insufficient_funds"
    assert (books.available(books.alice), books.available(books.bob)) == (100, 0)


@pytest.mark.parametrize("wrong", [0, 4, 9])
def test_many_are_all_or_nothing_though_they_are_written_part_by_part(books, monkeypatch, wrong):
    monkeypatch.setattr(posting, "FIRST", 2)
    monkeypatch.setattr(posting, "PART", 3)
    books.fund(books.alice, 1_000)
    batch = [transfer(books.alice, books.bob, 1_001 if n == wrong else 10, f"t:{n}") for n in range(10)]
    refusals = post(batch, now=NOW, whole=True).refusals
    assert [number for number, refusal in enumerate(refusals) if refusal] == [wrong]
    assert (books.available(books.alice), books.available(books.bob)) == (1_000, 0)
    post(batch[:wrong] + batch[wrong + 1 :], now=NOW, whole=True)
    assert (books.available(books.alice), books.available(books.bob)) == (910, 90)
    assert verify.clean()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("again", [1, 8])
def test_a_reference_that_is_taken_stops_many_wherever_it_comes(books, monkeypatch, again, whole):
    monkeypatch.setattr(posting, "FIRST", 2)
    monkeypatch.setattr(posting, "PART", 3)
    books.fund(books.alice, 1_000)
    post_one(transfer(books.alice, books.bob, 1, f"t:{again}"), now=NOW)
    batch = [transfer(books.alice, books.bob, 10, f"t:{n}") for n in range(10)]
    with pytest.raises(ReferenceTaken), transaction.atomic():
        post(batch, now=NOW, whole=whole)
    assert books.available(books.bob) == 1
    assert verify.clean()


def test_a_busy_account_spreads_over_its_lanes_and_sums_them(books):
    for number in range(40):
        books.fund(books.alice, 10, f"fund:{number}")
    assert books.standing(books.cash).balance == 400
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_balance WHERE account_id = %s AND version > 0", [books.cash.id])
        assert cursor.fetchone()[0] > 1


def test_one_transaction_may_touch_an_account_twice(books):
    books.fund(books.alice, 100)
    legs = (books.alice.debit(30), books.alice.debit(5), books.bob.credit(30), books.fees.credit(5))
    post_one(Posting("transfer", "t:fee", legs), now=NOW)
    assert (books.available(books.alice), books.standing(books.fees).balance) == (65, 5)
    assert verify.clean()


def test_a_reference_names_one_transaction_for_ever(books):
    books.fund(books.alice, 100)
    post_one(transfer(books.alice, books.bob, 10, "t:1"), now=NOW)
    for size in (1, 2):
        batch = [transfer(books.alice, books.bob, 1, "t:1") for _ in range(size)]
        with pytest.raises(ReferenceTaken), transaction.atomic():
            post(batch, now=NOW)
    assert (books.available(books.alice), books.available(books.bob)) == (90, 10)


def test_currencies_dont_mix(books):
    books.fund(books.alice, 100)
    posted = post([transfer(books.alice, books.dora, 10, "t:1")], now=NOW)
    assert posted.refusals[0].code == "currency_mismatch"
    assert books.available(books.alice) == 100


def test_an_exchange_balances_in_each_currency(books):
    books.fund(books.alice, 1_500)
    open_accounts([NewAccount("assets:clearing:bank:USD", "asset", "USD")], now=NOW)
    dollars = find_one("assets:clearing:bank:USD")
    legs = (books.alice.debit(1_500), books.cash.credit(1_500), dollars.debit(1), books.dora.credit(1))
    post_one(Posting("exchange", "x:1", legs), now=NOW)
    assert (books.available(books.alice), books.available(books.dora)) == (0, 1)
    assert verify.clean()


def test_an_account_that_isnt_there_is_refused(books, leg):
    posted = post([Posting("x", "t:1", (leg(books.cash.id, 1, 16), leg(books.alice.id.__class__(int=5), -1)))], now=NOW)
    assert posted.refusals[0].code == "unknown_account"


@pytest.mark.parametrize(
    ("amount", "times", "refused"),
    [
        (MAX_POSTING, 9, None),
        (MAX_POSTING + 1, 1, "amount_too_large"),
        (MAX_POSTING, 10, "amount_too_large"),
    ],
)
def test_amounts_have_an_end(books, amount, times, refused):
    batch = [
        Posting("deposit", f"d:{number}", (Leg(books.fees.id, amount), books.bob.credit(amount)))
        for number in range(times)
    ]
    posted = post(batch, now=NOW)
    last = posted.refusals[-1]
    assert (last and last.code) == refused
    assert books.available(books.bob) == min(MAX_BALANCE, amount * times if refused is None else amount * (times - 1))


@pytest.mark.parametrize(
    "legs",
    [(), (("alice", 5),), (("alice", 5), ("bob", -4)), (("alice", 0), ("bob", 0)), (("alice", 5), ("bob", 5))],
)
def test_a_posting_without_sense_is_the_callers_mistake(books, legs):
    with pytest.raises(MalformedPosting):
        post_one(Posting("x", "x:1", tuple(Leg(getattr(books, who).id, amount) for who, amount in legs)), now=NOW)


def test_posting_refuses_to_run_outside_a_transaction(committed_books):
    with pytest.raises(OutsideTransaction):
        post([transfer(committed_books.alice, committed_books.bob, 1, "t:1")], now=NOW)


def test_a_durable_posting_is_a_deed_of_its_own(committed_books):
    books = committed_books
    post_durably(Posting("deposit", "d:1", (books.cash.debit(50), books.alice.credit(50))), now=NOW)
    connection.close()
    assert books.available(books.alice) == 50


def test_texts_arrive_as_they_were_written(books):
    books.fund(books.alice, 100)
    awkward = 'a "quoted" \\ {curly}, NULL, ünï — 漢字'
    batch = [
        Posting("transfer", f"t:{number}", (books.alice.debit(1), books.bob.credit(1)), description=awkward,
                metadata={"note": awkward, "n": number})
        for number in range(2)
    ]  # fmt: skip
    post(batch, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT description, metadata ->> 'note' FROM ledger_transaction WHERE kind = 'transfer'"
        )
        assert cursor.fetchall() == [(awkward, awkward)]
