"""One use case, one durable transaction: what it returns is committed, and nothing else of it is."""

import functools
import inspect
import random
import time
from collections.abc import Callable
from typing import ClassVar, ParamSpec, TypeVar

from django.db import OperationalError, transaction

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 5
# serialization_failure and deadlock_detected: PostgreSQL undid everything and asks us to come again.
TRANSIENT = frozenset({"40001", "40P01"})


class OutcomeUnknown(Exception):
    """The connection was lost while committing: the deed may have happened. Its key must be looked up, not guessed."""

    code: ClassVar[str] = "outcome_unknown"
    title: ClassVar[str] = "Outcome unknown"


class TryAgain(Exception):
    """What was read before the locks were taken is no longer so: everything is undone and done again."""

    code: ClassVar[str] = "database_unavailable"
    title: ClassVar[str] = "Busy"


def durable(use_case: Callable[P, R]) -> Callable[P, R]:
    """Run a use case in one outermost transaction, again when it lost a race, at most five times with jitter.

    Raises OutcomeUnknown where the commit itself was interrupted.
    """

    @functools.wraps(use_case)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            committing = False
            try:
                with transaction.atomic(durable=True):
                    result = use_case(*args, **kwargs)
                    committing = True
                return result
            except (OperationalError, TryAgain) as error:
                if not isinstance(error, TryAgain) and getattr(error.__cause__, "sqlstate", None) not in TRANSIENT:
                    if committing:
                        raise OutcomeUnknown("The commit was interrupted; repeat with the same key.") from error
                    raise
                if attempt == ATTEMPTS:
                    raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError("unreachable")

    return run


def within(use_case: Callable[P, R]) -> Callable[P, R]:
    """A durable use case as part of another one, whose transaction is open."""
    return inspect.unwrap(use_case)
