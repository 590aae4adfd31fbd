"""The cast of the books: two people's wallets, the company's cash, its fees."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.db import transaction

from ledger import balances
from ledger.accounts import BUSY, Line, NewAccount, find, open_accounts
from ledger.posting import Posted, Posting, post_one
from ledger.requests import Leg
from ledger.seals.parts import BALANCES, ENTRIES, TRANSACTIONS, parts

NOW = datetime(2026, 1, 20, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Books:
    """Alice and Bob have wallets in naira, Dora one in dollars; cash and fees are the company's."""

    alice: Line
    bob: Line
    dora: Line
    cash: Line
    fees: Line

    def standing(self, line: Line, now: datetime = NOW) -> balances.Standing:
        return balances.standings([line.id], now=now)[line.id]

    def available(self, line: Line, now: datetime = NOW) -> int:
        return self.standing(line, now).available

    def fund(self, line: Line, amount: int, reference: str = "fund", now: datetime = NOW) -> Posted:
        return post_one(
            Posting("deposit", f"{reference}:{line.code}", (self.cash.debit(amount), line.credit(amount))), now=now
        )


def transfer(source: Line, destination: Line, amount: int, reference: str) -> Posting:
    return Posting("transfer", reference, (source.debit(amount), destination.credit(amount)))


def open_books() -> Books:
    """Open the cast's accounts, inside the caller's transaction."""
    accounts = [
        NewAccount("liabilities:wallets:alice", "liability", "NGN", floor=0),
        NewAccount("liabilities:wallets:bob", "liability", "NGN", floor=0),
        NewAccount("liabilities:wallets:dora", "liability", "USD", floor=0),
        NewAccount("assets:clearing:bank:NGN", "asset", "NGN", lanes=BUSY),
        NewAccount("income:fees:NGN", "income", "NGN", lanes=BUSY),
    ]
    open_accounts(accounts, now=NOW)
    lines = find(account.code for account in accounts)
    return Books(*(lines[account.code] for account in accounts))


@pytest.fixture(autouse=True)
def own_parts() -> Iterator[None]:
    """The books by themselves, without what their users have sealed with them."""
    everything = parts[:]
    parts[:] = [TRANSACTIONS, ENTRIES, BALANCES]
    yield
    parts[:] = everything


@pytest.fixture
def books(db: None) -> Books:
    return open_books()


@pytest.fixture
def committed_books(committed: None) -> Books:
    with transaction.atomic():
        return open_books()


@pytest.fixture
def leg() -> Callable[..., Leg]:
    return Leg


@pytest.fixture
def three_days(committed_books: Books) -> Books:
    """Books with three days in them, of which none is closed."""
    from ledger.tests.closed import post_three_days

    with transaction.atomic():
        post_three_days(committed_books)
    return committed_books


@pytest.fixture
def sealed(three_days: Books) -> Books:
    """The same, with the first two of the days closed and sealed."""
    from ledger.tests.closed import close

    close()
    return three_days


@contextmanager
def undone() -> Iterator[None]:
    """Books that are thrown away at the end, within a test that has many; what is durable may be done in them."""
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)
