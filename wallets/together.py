"""Calls that arrive together are done together: whoever comes first while nobody is at it does it for all who wait.

Nobody is answered before what was asked is committed, nor with what was read before they came, so this costs neither
durability nor freshness. It saves each call its own round trips and its own wait for the disk, and many writers their
queue for one busy row. Who comes alone is served at once.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar, cast

from django.db import InterfaceError, OperationalError

from ledger.durable import OutcomeUnknown, TryAgain

# The database or its pool is away, busy, holds a lock for too long, or went while it committed: as true for one of a
# group as for all.
DATABASE_AWAY = (OperationalError, InterfaceError, TryAgain, OutcomeUnknown)

T = TypeVar("T")
R = TypeVar("R")


class _Call(Generic[T, R]):
    """One who asked: asleep until it is told that it is done, or that it is its turn to do it for all who wait."""

    __slots__ = ("done", "error", "item", "outcome", "wake")

    def __init__(self, item: T) -> None:
        self.item = item
        self.outcome: R | None = None
        self.error: Exception | None = OutcomeUnknown("Whoever did this was interrupted; repeat with the same key.")
        self.done = False
        self.wake = Lock()
        self.wake.acquire()

    def settle(self, outcome: R) -> None:
        self.outcome, self.error = outcome, None

    def result(self) -> R:
        if self.error is not None:
            raise self.error
        return cast(R, self.outcome)


class Together(Generic[T, R]):
    """`do` takes up to `limit` items and gives an outcome for each, in their order; it does all of them or none.

    An error of a class in `shared` is everybody's; after any other the items are done one by one. Where some wait
    already, others are given so many seconds to `linger` in; that pays where what is done ends with a wait for the disk
    (PostgreSQL's commit_delay, on this side of the connection).
    """

    def __init__(
        self,
        do: Callable[[Sequence[T]], Sequence[R]],
        *,
        limit: int,
        shared: tuple[type[Exception], ...] = (),
        linger: float = 0,
    ) -> None:
        self._do, self._limit, self._shared, self._linger = do, limit, shared, linger
        self._waiting: deque[_Call[T, R]] = deque()
        self._guard = Lock()
        self._busy = False

    def __call__(self, item: T) -> R:
        """The item's outcome. Raises what `do` raises for it."""
        call: _Call[T, R] = _Call(item)
        with self._guard:
            self._waiting.append(call)
            leads, self._busy = not self._busy, True
        if not leads:
            call.wake.acquire()
        if not call.done:
            self._lead()
        return call.result()

    def _lead(self) -> None:
        """Do what waits, in the order in which it came, one's own first; then let the next one lead."""
        # Lets those who are nearly here come along; who is alone loses nothing by it.
        time.sleep(0)
        if self._linger and 1 < len(self._waiting) < self._limit:
            time.sleep(self._linger)
        with self._guard:
            calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._limit))]
        try:
            self._do_all(calls)
        finally:
            with self._guard:
                successor = self._waiting[0] if self._waiting else None
                self._busy = successor is not None
            # The successor last: until it is awake, more come to be done with it.
            for call in calls:
                call.done = True
                call.wake.release()
            if successor is not None:
                successor.wake.release()

    def _do_all(self, calls: list[_Call[T, R]]) -> None:
        """Together, or one by one where that fails: one that can't be done must not keep the others from it."""
        try:
            outcomes = self._do([call.item for call in calls])
        except Exception as error:
            if len(calls) == 1 or isinstance(error, self._shared):
                # Where the database can't, nobody shall wait for as many time-outs as there are calls.
                for call in calls:
                    call.error = error
                return
            for number, call in enumerate(calls):
                self._do_all([call])
                if isinstance(call.error, self._shared):
                    for rest in calls[number + 1 :]:
                        rest.error = call.error
                    return
        else:
            for call, outcome in zip(calls, outcomes, strict=True):
                call.settle(outcome)
