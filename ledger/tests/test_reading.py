"""Balances at a moment, histories, statements, the trial balance, reversals: all say the same."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from ledger import history, holds, reports, statements, verify
from ledger.balances import standing_at
from ledger.decision import InsufficientFunds
from ledger.history import Filter
from ledger.posting import post_one
from ledger.requests import PENDING, Place, Posting
from ledger.reversal import NotReversible, reverse
from ledger.tests.conftest import NOW, transfer


def at(hours: float):
    return NOW + timedelta(hours=hours)


@pytest.fixture
def year(books):
    """Alice is given 100 each hour for ten hours, and passes 10 on to Bob half an hour later."""
    for hour in range(10):
        books.fund(books.alice, 100, f"fund:{hour}", now=at(hour))
        post_one(transfer(books.alice, books.bob, 10, f"t:{hour}"), now=at(hour + 0.5))
    return books


@pytest.mark.parametrize(
    ("hours", "balance", "version"), [(-1, 0, 0), (0, 100, 1), (0.5, 90, 2), (4.9, 450, 10), (99, 900, 20)]
)
def test_the_balance_at_a_moment_is_what_it_was(year, hours, balance, version):
    standing = standing_at(year.alice.id, at(hours))
    assert (standing.balance, standing.version) == (balance, version)
    assert standing_at(year.cash.id, at(hours)).balance == balance + (version // 2) * 10


def test_the_balance_at_a_moment_knows_the_holds_of_that_moment(year):
    hold = Place(year.alice.id, 50, "hold", expires_at=at(30))
    holds.place(hold, now=at(20))
    assert [standing_at(year.alice.id, at(hours)).held for hours in (19, 20, 29, 30)] == [0, 50, 50, 0]
    holds.release(year.alice.id, hold.id, now=at(25))
    assert [standing_at(year.alice.id, at(hours)).held for hours in (19, 20, 24, 25)] == [0, 50, 50, 0]


def test_a_posting_never_goes_back_in_time(books):
    books.fund(books.alice, 100, now=at(5))
    post_one(transfer(books.alice, books.bob, 10, "t:late"), now=at(1))
    assert standing_at(books.alice.id, at(4)).balance == 0
    assert standing_at(books.alice.id, at(5)).balance == 90


def test_a_hold_changes_at_the_moment_of_its_posting(books):
    books.fund(books.alice, 100, now=at(5))
    pending = Place(books.alice.id, 40, "d:late", PENDING, at(50))
    deposit = Posting("deposit", "d:late", (books.cash.debit(40), books.alice.credit(40)), places=(pending,))
    post_one(deposit, now=at(1))
    for hours in (1, 4.9, 5, 6):
        standing = standing_at(books.alice.id, at(hours))
        assert (standing.balance, standing.pending) in ((0, 0), (140, 40))


def test_history_is_newest_first_and_pages_by_version(year):
    low, high = history.bounds(year.alice.id, None, None)
    first = history.page(year.alice.id, Filter(), limit=3, low=low, high=high)
    assert [line.version for line in first] == [20, 19, 18]
    assert [line.amount for line in first] == [10, -100, 10]
    last = history.page(year.alice.id, Filter(), limit=3, low=low, high=high, offset=18)
    assert [line.version for line in last] == [2, 1]
    assert history.count(year.alice.id, Filter(), low=low, high=high) == 20


@pytest.mark.parametrize(
    ("which", "versions"),
    [
        (Filter(since=at(8), until=at(9)), [19, 18, 17]),
        (Filter(kinds=["transfer"], since=at(8)), [20, 18]),
        (Filter(debits=True, since=at(8.5)), [20, 18]),
        (Filter(debits=False, until=at(1)), [3, 1]),
        (Filter(since=at(50)), []),
        (Filter(until=at(-1)), []),
    ],
)
def test_history_is_filtered_and_counted(year, which, versions):
    low, high = history.bounds(year.alice.id, which.since, which.until)
    page = history.page(year.alice.id, which, limit=30, low=low, high=high)
    assert [line.version for line in page] == versions
    assert history.count(year.alice.id, which, low=low, high=high) == len(versions)


def test_history_gives_metadata_back_as_it_was(books):
    books.fund(books.alice, 100)
    post_one(replace(transfer(books.alice, books.bob, 10, "t:1"), metadata={"order": 7, "tags": ["a"]}), now=NOW)
    line = history.page(books.alice.id, Filter(), limit=1, low=0, high=2)[0]
    assert line.metadata == {"order": 7, "tags": ["a"]}


def test_history_names_the_other_side(year):
    line = history.page(year.alice.id, Filter(), limit=1, low=0, high=20)[0]
    others = history.counterparties(year.alice.id, [line.transaction])
    assert others == {line.transaction: ["liabilities:wallets:bob"]}


@pytest.mark.parametrize(("start", "end"), [(0, 99), (2, 5), (2.5, 2.5), (50, 60), (-9, -1)])
def test_a_statement_adds_up_and_meets_the_next_one(year, start, end):
    found = statements.statement(year.alice.id, since=at(start), until=at(end))
    lines = list(found.lines())
    assert found.opening + found.total_in - found.total_out == found.closing
    assert found.closing == standing_at(year.alice.id, at(end)).balance
    assert sum(-line.amount for line in lines) == found.closing - found.opening
    assert [line.version for line in lines] == sorted(line.version for line in lines)


def test_a_long_statement_is_read_in_chunks(year, monkeypatch):
    monkeypatch.setattr(statements, "CHUNK", 3)
    found = statements.statement(year.alice.id, since=at(0), until=at(99))
    assert [line.version for line in found.lines()] == list(range(1, 21))


def test_the_trial_balance_balances_now_and_then(year):
    for day in (None, NOW.date(), NOW.date() - timedelta(days=1)):
        lines = reports.trial_balance(through=day, currency="NGN")
        assert sum(line.debit for line in lines) == sum(line.credit for line in lines)
    now = {line.code: (line.debit, line.credit) for line in reports.trial_balance()}
    assert now["assets:clearing:bank:NGN"] == (1_000, 0)
    assert now["liabilities:wallets:alice"] == (0, 900)


def test_a_reversal_mirrors_once_and_only_once(books):
    books.fund(books.alice, 100)
    original = transfer(books.alice, books.bob, 40, "t:1")
    post_one(original, now=NOW)
    reverse(original.id, reference="r:1", now=NOW)
    assert (books.available(books.alice), books.available(books.bob)) == (100, 0)
    with pytest.raises(NotReversible):
        reverse(original.id, reference="r:2", now=NOW)
    assert books.available(books.alice) == 100
    assert verify.clean()


def test_a_reversal_cant_take_money_that_is_gone(books):
    books.fund(books.alice, 100)
    original = transfer(books.alice, books.bob, 40, "t:1")
    post_one(original, now=NOW)
    post_one(Posting("withdrawal", "w:1", (books.bob.debit(40), books.cash.credit(40))), now=NOW)
    with pytest.raises(InsufficientFunds):
        reverse(original.id, reference="r:1", now=NOW)
    assert books.available(books.alice) == 60
