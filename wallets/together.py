"""Calls that arrive together are done together: whoever comes first while nobody is at it does it for all who wait.

Nobody is answered before what was asked is committed, nor with what was read before they came, so this costs neither
durability nor freshness. It saves each call its own round trips and its own wait for the disk, and many writers their
queue for one busy row. Who comes alone is served at once.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar, cast

from ledger.durable import OutcomeUnknown

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class _Call(Generic[T, R]):
    item: T
    outcome: R | None = None
    error: Exception | None = None
    done: bool = False

    def settle(self, outcome: R) -> None:
        self.outcome, self.error = outcome, None

    def result(self) -> R:
        if self.error is not None:
            raise self.error
        return cast(R, self.outcome)


class Together(Generic[T, R]):
    """`do` takes up to `limit` items and gives an outcome for each, in their order; it does all of them or none."""

    def __init__(self, do: Callable[[Sequence[T]], Sequence[R]], *, limit: int) -> None:
        self._do, self._limit = do, limit
        self._waiting: deque[_Call[T, R]] = deque()
        self._turn = Lock()

    def __call__(self, item: T) -> R:
        """The item's outcome. Raises what `do` raises for it."""
        call: _Call[T, R] = _Call(item)
        self._waiting.append(call)
        while not call.done:
            with self._turn:
                if not call.done:
                    self._lead()
        return call.result()

    def _lead(self) -> None:
        """Do what waits, in the order in which it came."""
        calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._limit))]
        for call in calls:
            call.error = OutcomeUnknown("Whoever did this was interrupted; repeat with the same key.")
        try:
            self._do_all(calls)
        finally:
            for call in calls:
                call.done = True

    def _do_all(self, calls: list[_Call[T, R]]) -> None:
        """Together, or one by one where that fails: one that can't be done must not keep the others from it."""
        try:
            outcomes = self._do([call.item for call in calls])
        except Exception as error:
            if len(calls) == 1:
                calls[0].error = error
                return
            for call in calls:
                self._do_all([call])
        else:
            for call, outcome in zip(calls, outcomes, strict=True):
                call.settle(outcome)
