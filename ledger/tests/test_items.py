"""An account as the outside sees it: its transactions read onwards, each once and whole."""

from ledger import items
from ledger.posting import Posting, post_one
from ledger.tests.conftest import NOW


def read(books, after=()):
    batches = list(items.items(books.cash.id, list(after)))
    found = {item.reference: item.amount for batch in batches for item in batch.items}
    return found, batches[-1].versions if batches else list(after)


def test_every_transaction_is_read_once_on_the_normal_side(books):
    books.fund(books.alice, 700)
    post_one(Posting("withdrawal", "w:1", (books.cash.credit(200), books.alice.debit(200))), now=NOW)
    found, versions = read(books)
    assert found == {"fund:liabilities:wallets:alice": 700, "w:1": -200}
    assert items.balance_at(books.cash.id, versions) == books.standing(books.cash).balance == 500


def test_only_what_is_new_is_read_onwards(books):
    books.fund(books.alice, 700)
    _, versions = read(books)
    assert read(books, versions) == ({}, versions)
    books.fund(books.bob, 300)
    found, later = read(books, versions)
    assert found == {"fund:liabilities:wallets:bob": 300}
    assert (items.balance_at(books.cash.id, versions), items.balance_at(books.cash.id, later)) == (700, 1_000)


def test_a_transaction_with_two_legs_on_the_account_is_one_amount(books):
    legs = (books.cash.debit(700), books.cash.credit(50), books.alice.credit(650))
    post_one(Posting("deposit", "d:1", legs), now=NOW)
    nothing = (books.cash.debit(5), books.cash.credit(5))
    post_one(Posting("adjustment", "a:1", nothing), now=NOW)
    assert read(books)[0] == {"d:1": 650}


def test_batches_leave_nothing_out(books, monkeypatch):
    monkeypatch.setattr(items, "CHUNK", 2)
    for number in range(60):
        books.fund(books.alice, 10 + number, reference=f"fund:{number}")
    assert sorted(read(books)[0].values()) == list(range(10, 70))
