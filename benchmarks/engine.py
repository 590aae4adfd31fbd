"""The posting engine: in batches against the server alone, from one busy account, and one at a time."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction

from benchmarks import books, hand
from benchmarks.measure import Row, against, by_threads, compare, ratio, timed
from benchmarks.replica import Replica
from ledger.posting import Posting, post, post_durably

DATABASE = "bench_engine"
ROUNDS = 11
TRANSFERS = 3_000
SECONDS = 2.0

Make = Callable[[], Posting]


def rows(*, quick: bool) -> Iterator[Row]:
    """The rows of the engine."""
    accounts, rounds = (10_000, 3) if quick else (100_000, ROUNDS)
    books.create(DATABASE)
    wallets = books.open_wallets(accounts)
    till = books.open_till()
    books.fund(wallets, till)
    hand.install(DATABASE)
    books.settle(DATABASE)
    replicas = [Replica(DATABASE, laws=True), Replica(DATABASE, laws=False)]
    # As a web process does when it has started: the collector needn't walk through what stays.
    gc.collect()
    gc.freeze()

    def even() -> Posting:
        return books.between(wallets)

    def hot() -> Posting:
        return books.transfer(till.debit(1), books.some(wallets).credit(1))

    for size in (100, 1_000):
        yield from _against_server(replicas, even, size, rounds)
    for replica in replicas:
        replica.drop()
    for size in (100, 1_000):
        yield _against_even(hot, even, size, rounds)
    for threads in (1, 8):
        yield _one_at_a_time(wallets, threads, 1.0 if quick else SECONDS, rounds)
    connection.close()
    books.drop(DATABASE)


def run_batches(batches: Sequence[Sequence[Posting]]) -> None:
    """Post each batch, committed, before the next."""
    for batch in batches:
        with transaction.atomic(durable=True):
            post(batch, now=books.now(), whole=True)


def make_batches(make: Make, size: int, transfers: int = TRANSFERS) -> list[list[Posting]]:
    """Requests ready to be posted: making them is the caller's work, not the engine's."""
    return [[make() for _ in range(size)] for _ in range(transfers // size)]


def _engine(make: Make, size: int) -> float:
    """Transfers a second, in batches of a size."""
    batches = make_batches(make, size)
    return TRANSFERS / timed(lambda: run_batches(batches))


def _against_server(replicas: Sequence[Replica], make: Make, size: int, rounds: int) -> Iterator[Row]:
    """What the engine wrote is written again by the server alone, once under the laws and once without."""

    def turn() -> list[float]:
        batches = make_batches(make, size)
        rates = [TRANSFERS / timed(lambda: run_batches(batches))]
        for replica in replicas:
            replica.stage([[posting.id for posting in batch] for batch in batches])
            rates.append(TRANSFERS / timed(replica.repeat))
        return rates

    turn()
    ours, lawful, lawless = zip(*(turn() for _ in range(rounds)), strict=True)
    what, other, of = f"posting engine, batches of {size:,}", "the server alone, writing the same rows", "transfers/s"
    yield Row(what, f"{other} under the same laws", ratio(ours, lawful), 0.6, detail=against(ours, lawful, of))
    yield Row("…", f"{other} without any law", ratio(ours, lawless), detail=against(ours, lawless, of))


def _against_even(hot: Make, even: Make, size: int, rounds: int) -> Row:
    _engine(hot, size), _engine(even, size)
    return compare(
        f"… {size:,}, all from one account of 16 lanes",
        "spread evenly",
        lambda: _engine(hot, size),
        lambda: _engine(even, size),
        rounds=rounds,
        target=0.9,
    )


def _one_at_a_time(wallets: Sequence[UUID], threads: int, seconds: float, rounds: int) -> Row:
    @contextmanager
    def door() -> Iterator[Callable[[], object]]:
        books.use(DATABASE)
        for _ in range(10):
            post_durably(books.between(wallets), now=books.now())
        try:
            yield lambda: post_durably(books.between(wallets), now=books.now())
        finally:
            connection.close()

    return compare(
        f"one at a time, {threads} thread{'s' if threads > 1 else ''}",
        "one PL/pgSQL call by hand",
        lambda: by_threads(threads, seconds, door),
        lambda: by_threads(threads, seconds, lambda: hand.transfers(DATABASE, wallets)),
        rounds=rounds,
        target=0.7,
    )
