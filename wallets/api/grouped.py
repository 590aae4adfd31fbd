"""Requests that arrive together, each with a key of its own: one deed for all of them, and an answer for each."""

from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.utils import timezone
from msgspec import Struct
from rest_framework.request import Request

from wallets.api.once import OnceView, claim_of
from wallets.idempotency import Answer, Claim, once_each
from wallets.together import DATABASE_AWAY, Together

# A fraction of what a commit takes: measured, under load it pays for itself by a tenth.
LINGER_SECONDS = 0.0004

T = TypeVar("T")


class Asked(Struct, Generic[T], frozen=True):
    """What a request waits for: its key, its order, and how its refusal is told, in its own context."""

    claim: Claim
    order: T
    refusal: Callable[[Exception], Answer]
    context: Context


def as_asked(orders: Sequence[T]) -> Callable[[], Sequence[T]]:
    """What a deed takes that needs to look for nothing beforehand: the orders themselves."""
    return lambda: orders


class Grouped(Generic[T]):
    """Does `deed` for all the orders that arrived together, in one durable transaction; `told` puts what came of one
    into words. A refusal is an exception in the place of its order.

    What the deed takes in the place of each order, `look` asks the server for, before a key's answer is waited for.
    """

    def __init__(
        self,
        deed: Callable[..., Sequence[Any]],
        told: Callable[[Any, datetime], Answer],
        *,
        look: Callable[[Sequence[T]], Callable[[], Sequence[Any]]] = as_asked,
    ) -> None:
        self._deed, self._told, self._look = deed, told, look
        self._together: Together[Asked[T], Answer | Exception] = Together(
            self._do, limit=100, shared=DATABASE_AWAY, linger=LINGER_SECONDS
        )

    def __call__(self, view: OnceView, request: Request, order: T) -> Answer:
        """The answer for a request's order. Raises its refusal, where that isn't to be kept for its key."""
        answer = self._together(Asked(claim_of(request), order, view.refusal, copy_context()))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _do(self, asked: Sequence[Asked[T]]) -> Sequence[Answer | Exception]:
        now = timezone.now()

        def look() -> Callable[[], Sequence[Any]]:
            return self._look([each.order for each in asked])

        def act(found: Callable[[], Sequence[Any]], positions: list[int]) -> list[Answer | Exception]:
            all_found = found()
            outcomes = self._deed([all_found[position] for position in positions], now=now)
            return [
                self._answer(asked[position], outcome, now)
                for position, outcome in zip(positions, outcomes, strict=True)
            ]

        return once_each([each.claim for each in asked], look, act, now=now)

    def _answer(self, asked: Asked[T], outcome: Any, now: datetime) -> Answer | Exception:
        """What the key is bound to; an exception for a refusal that binds nothing."""
        if not isinstance(outcome, Exception):
            return self._told(outcome, now)
        try:
            return asked.context.run(asked.refusal, outcome)
        except Exception as error:
            return error
