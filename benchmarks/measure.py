"""Two things done alternately in one run, and the median of their ratios: the machine's mood falls on both."""

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

Work = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """A line of the table. `value` is a ratio unless `unit` says otherwise; without a target it is only told."""

    what: str
    against: str
    value: float
    target: float | None = None
    at_most: bool = False
    unit: str = "×"
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


def in_turns(*works: Work, rounds: int) -> list[tuple[float, ...]]:
    """What each of the works returned, round by round: ours, theirs, ours, theirs …"""
    return list(zip(*([work() for work in works] for _ in range(rounds)), strict=True))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of what the rounds' ratios were. What was done side by side was done in the same mood."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def against(ours: Sequence[float], theirs: Sequence[float], of: str) -> str:
    """The medians of both, in words."""
    return f"{statistics.median(ours):,.0f} against {statistics.median(theirs):,.0f} {of}"


def compare(
    what: str, other: str, ours: Work, theirs: Work, *, rounds: int, target: float, of: str = "transfers"
) -> Row:
    """The row of a ratio of two rates: how many times as much ours does in a second."""
    turns = in_turns(ours, theirs, rounds=rounds)
    return Row(what, other, ratio(*turns), target, detail=against(*turns, f"{of}/s"))


def timed(work: Callable[[], object]) -> float:
    """The seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def by_threads(count: int, seconds: float, worker: Callable[[], contextmanager]) -> float:
    """How often a second `count` threads together call what `worker()` gives them, each its own."""
    calls: list[int] = []
    failures: list[BaseException] = []
    ready, go = threading.Barrier(count + 1), threading.Event()

    def run() -> None:
        done = 0
        try:
            with worker() as act:
                ready.wait()
                go.wait()
                end = time.perf_counter() + seconds
                while time.perf_counter() < end:
                    act()
                    done += 1
        except BaseException as failure:
            failures.append(failure)
            ready.abort()
        calls.append(done)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    with_barrier(ready)
    go.set()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(calls) / (time.perf_counter() - start)


def with_barrier(ready: threading.Barrier) -> None:
    try:
        ready.wait()
    except threading.BrokenBarrierError:
        return


@contextmanager
def always(act: Callable[[], object]) -> Iterator[Callable[[], object]]:
    yield act
