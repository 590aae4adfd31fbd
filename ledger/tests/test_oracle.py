"""Random operations, one at a time and in batches, against the books in plain Python: every answer is the same."""

from datetime import timedelta
from typing import NamedTuple

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import balances, posting, verify
from ledger.accounts import Line, NewAccount, find_one, open_accounts
from ledger.posting import post
from ledger.tests.conftest import NOW, Books
from ledger.tests.oracle import Chance, Oracle


class Wide(NamedTuple):
    """Three wallets and the cash they share."""

    alice: Line
    bob: Line
    carol: Line
    cash: Line


def run(books: Wide, seed: int, operations: int, largest: int, whole: bool = False) -> int:
    """Post `operations` random ones in batches of up to `largest`, each all or nothing with `whole`; fail at the first
    difference. Returns how many were refused.
    """
    wallets = [books.alice, books.bob, books.carol]
    oracle = Oracle({line.id: 0 for line in wallets} | {books.cash.id: None})
    chance = Chance(seed, [line.id for line in wallets], books.cash.debit(0), oracle)
    now, done, refused = NOW, 0, 0
    while done < operations:
        now += timedelta(milliseconds=chance.random.choice([0, 1, 700, 5_000]))
        size = min(chance.random.choice([1, 1, largest]), operations - done)
        expected, batch, before = [], [], oracle.state()
        for _ in range(size):
            asked = chance.posting(now)
            if any(close.hold in {place.id for other in batch for place in other.places} for close in asked.closes):
                continue
            batch.append(asked)
            expected.append(oracle.run(asked, now))
        if not batch:
            continue
        with transaction.atomic():
            posted = post(batch, now=now, whole=whole)
        if whole and any(expected):
            oracle.back_to(before)
        assert [refusal and refusal.code for refusal in posted.refusals] == expected
        done, refused = done + len(batch), refused + sum(code is not None for code in expected)
        for id, standing in balances.standings([line.id for line in wallets], now=now).items():
            assert (standing.balance, standing.held, standing.pending, standing.version) == oracle.standing(id, now)
    return refused


def widened(books: Books) -> Wide:
    """The cast with a third wallet, for what is split three ways."""
    open_accounts([NewAccount("liabilities:wallets:carol", "liability", "NGN", floor=0)], now=NOW)
    return Wide(books.alice, books.bob, find_one("liabilities:wallets:carol"), books.cash)


@pytest.fixture
def wide_books(books):
    return widened(books)


def test_a_thousand_operations_agree_with_the_oracle(wide_books):
    refused = run(wide_books, seed=1, operations=1_000, largest=20)
    assert 100 < refused < 900
    assert verify.clean()


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32),
    largest=st.integers(1, 40),
    first=st.integers(1, 20),
    part=st.integers(1, 20),
    trusted=st.integers(1, 20),
    whole=st.booleans(),
)
def test_any_sequence_agrees_with_the_oracle(wide_books, seed, largest, first, part, trusted, whole):
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(posting, "FIRST", first)
        patch.setattr(posting, "PART", part)
        patch.setattr(posting, "TRUSTED", trusted)
        run(wide_books, seed, operations=60, largest=largest, whole=whole)
        transaction.set_rollback(True)


@pytest.mark.slow
@pytest.mark.parametrize("whole, largest", [(False, 100), (True, 5)])
def test_fifty_thousand_operations_agree_with_the_oracle(committed_books, monkeypatch, whole, largest):
    """Committed, as autovacuum believes tables empty whose rows are all somebody's who hasn't committed."""
    if whole:
        # Short enough that many are without holds, and so begun on trust.
        monkeypatch.setattr(posting, "FIRST", 1)
        monkeypatch.setattr(posting, "TRUSTED", 3)
    with transaction.atomic():
        books = widened(committed_books)
    run(books, seed=2, operations=50_000, largest=largest, whole=whole)
    assert verify.clean()
