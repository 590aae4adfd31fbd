"""Old books against young ones: what is done with ten million entries must cost what it costs with ten thousand."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection

from benchmarks import books, old_books
from benchmarks.measure import Row, against, in_turns, ratio, timed
from ledger import history, verify
from ledger.accounts import find
from ledger.balances import standings
from ledger.posting import post_durably

YOUNG, OLD, OLD_QUICK = 10_000, 10_000_000, 1_000_000
CALLS = 1_000
TARGET = 1.2


class Visitor:
    """Somebody at one of the books, in a thread with a connection of its own, who does the same things in each."""

    def __init__(self, entries: int) -> None:
        self.deep = entries // 10
        found = find([f"w{number}" for number in range(old_books.OTHERS + 1)])
        self.long = found["w0"].id
        self.wallets = [line.id for code, line in found.items() if code != "w0"]

    def post(self) -> None:
        post_durably(books.between(self.wallets, most=5), now=books.now())

    def balance(self) -> None:
        standings([random.choice(self.wallets)], now=books.now())

    def first_page(self) -> None:
        self._page(0)

    def deep_page(self) -> None:
        self._page(self.deep)

    def _page(self, offset: int) -> None:
        low, high = history.bounds(self.long, None, None)
        if len(history.page(self.long, history.Filter(), limit=50, low=low, high=high, offset=offset)) != 50:
            raise RuntimeError("the page isn't full")


ACTS: dict[str, Callable[[Visitor], None]] = {
    "posting": Visitor.post,
    "balance": Visitor.balance,
    "first page of history": Visitor.first_page,
    "page at offset {deep:,}": Visitor.deep_page,
}


def rows(*, quick: bool) -> Iterator[Row]:
    """Each act in the old books against the same in the young; the offset is a tenth of the entries in both."""
    size = OLD_QUICK if quick else OLD
    names = old_books.prepare(YOUNG, anew=True), old_books.prepare(size)
    with _visit(names[0], YOUNG) as young, _visit(names[1], size) as old:
        for what, act in ACTS.items():
            new, aged = young(_microseconds, act), old(_microseconds, act)
            new(), aged()
            took = in_turns(aged, new, rounds=3 if quick else 9)
            yield _row(f"{what.format(deep=size // 10)}, {size:,} entries", *took)
        yield old(_verified, size)()


def _row(what: str, old: Sequence[float], young: Sequence[float]) -> Row:
    detail, other = against(old, young, "µs"), f"the same, {YOUNG:,} entries"
    return Row(what, other, ratio(old, young), TARGET, at_most=True, unit="× the time", detail=detail)


def _microseconds(visitor: Visitor, act: Callable[[Visitor], None]) -> float:
    return 1e6 * timed(lambda: [act(visitor) for _ in range(CALLS)]) / CALLS


def _verified(_: Visitor, size: int) -> Row:
    broken: list[verify.Finding] = []
    seconds = timed(lambda: broken.extend(finding for finding in verify.verify() if finding.total))
    detail = "; ".join(f"law {finding.check.law}: {finding.shown[0]}" for finding in broken) or "clean"
    return Row(f"verify_ledger, {size:,} entries", "", seconds, unit="s", detail=detail)


@contextmanager
def _visit(name: str, entries: int) -> Iterator[Callable]:
    """Gives a function that turns a work for a visitor into one done in the visitor's own thread."""
    with ThreadPoolExecutor(1, initializer=books.use, initargs=(name,)) as thread:
        visitor = thread.submit(Visitor, entries).result()
        try:
            yield lambda work, *words: lambda: thread.submit(work, visitor, *words).result()
        finally:
            thread.submit(lambda: connection.close()).result()
