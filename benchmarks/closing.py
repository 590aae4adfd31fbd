"""Closed days: what their law costs a posting, and what a report over ten million entries takes because of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from statistics import median

from django.db import connection, transaction

from benchmarks import books, old_books
from benchmarks.measure import Row, by_threads, compare, timed
from ledger import closing, reports
from ledger.closing import DAY
from ledger.posting import post_durably

BOUND, FREE = "bench_closing", "bench_closing_free"
ACCOUNTS, SECONDS = 10_000, 2.0
FREED = """
DROP TRIGGER ledger_transaction_open_days ON ledger_transaction;
DROP TRIGGER ledger_entry_open_days ON ledger_entry;
"""


def rows(*, quick: bool) -> Iterator[Row]:
    """The cost for a posting, and reports about a sealed and about an open day."""
    yield _posting(1.0 if quick else SECONDS, 3 if quick else 15)
    size = 1_000_000 if quick else 10_000_000
    books.use(old_books.prepare(size))
    sealed, today = books.now().date() - DAY * 30, books.now().date()
    yield _told(f"trial balance of a sealed day, {size:,} entries", lambda: reports.trial_balance(through=sealed))
    yield _told("… of an open day", lambda: reports.trial_balance(through=today - DAY))
    yield _told("… movements of a month, to today", lambda: reports.movements(since=sealed, until=today))
    connection.close()


def _posting(seconds: float, rounds: int) -> Row:
    """One at a time, in two databases that differ in nothing but the triggers of law 7."""
    doors = {name: _door(name) for name in (BOUND, FREE)}
    row = compare(
        "one at a time, where days are closed",
        "without law 7",
        lambda: by_threads(1, seconds, doors[BOUND]),
        lambda: by_threads(1, seconds, doors[FREE]),
        rounds=rounds,
        target=0.95,
    )
    for name in doors:
        books.drop(name)
    return row


def _door(name: str) -> Callable[[], AbstractContextManager[Callable[[], object]]]:
    """Makes a database, and gives the way to post in it from another thread."""
    books.create(name)
    wallets = books.open_wallets(ACCOUNTS)
    books.fund(wallets, books.open_till())
    with transaction.atomic():
        closing.close(books.now().date() - DAY, by="benchmark", grace=timedelta(), now=books.now())
    connection.close()
    if name == FREE:
        with books.owner(name) as server:
            server.execute(FREED)
    books.settle(name)

    @contextmanager
    def door() -> Iterator[Callable[[], object]]:
        books.use(name)
        for _ in range(10):
            post_durably(books.between(wallets), now=books.now())
        try:
            yield lambda: post_durably(books.between(wallets), now=books.now())
        finally:
            connection.close()

    return door


def _told(what: str, report: Callable[[], list]) -> Row:
    report()
    times = [timed(report) for _ in range(9)]
    return Row(what, "", median(times) * 1_000, unit="ms", detail=f"{len(report())} accounts")
