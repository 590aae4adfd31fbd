"""Requests that arrive together, each with a key of its own: one deed for all of them, and an answer for each."""

from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.utils import timezone
from rest_framework.request import Request

from wallets.api.once import OnceView, claim_of
from wallets.idempotency import Answer, Claim, once_each
from wallets.together import DATABASE_AWAY, Together

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """What a request waits for: its key, its order, and how its refusal is told, in its own context."""

    claim: Claim
    order: T
    refusal: Callable[[Exception], Answer]
    context: Context


class Grouped(Generic[T]):
    """Does `deed` for all the orders that arrived together, in one durable transaction; `told` puts what came of one
    into words. A refusal is an exception in the place of its order.
    """

    def __init__(self, deed: Callable[..., Sequence[Any]], told: Callable[[Any, datetime], Answer]) -> None:
        self._deed, self._told = deed, told
        self._together: Together[Asked[T], Answer | Exception] = Together(self._do, limit=100, shared=DATABASE_AWAY)

    def __call__(self, view: OnceView, request: Request, order: T) -> Answer:
        """The answer for a request's order. Raises its refusal, where that isn't to be kept for its key."""
        answer = self._together(Asked(claim_of(request), order, view.refusal, copy_context()))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _do(self, asked: Sequence[Asked[T]]) -> Sequence[Answer | Exception]:
        now = timezone.now()

        def act(positions: list[int]) -> list[Answer | Exception]:
            chosen = [asked[position] for position in positions]
            outcomes = self._deed([each.order for each in chosen], now=now)
            return [self._answer(each, outcome, now) for each, outcome in zip(chosen, outcomes, strict=True)]

        return once_each([each.claim for each in asked], act, now=now)

    def _answer(self, asked: Asked[T], outcome: Any, now: datetime) -> Answer | Exception:
        """What the key is bound to; an exception for a refusal that binds nothing."""
        if not isinstance(outcome, Exception):
            return self._told(outcome, now)
        try:
            return asked.context.run(asked.refusal, outcome)
        except Exception as error:
            return error
