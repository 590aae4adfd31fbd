"""One use case, one durable transaction: what it returns is committed, and nothing else of it is."""

import functools
import inspect
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, ParamSpec, TypeVar

from django.db import OperationalError, transaction

from ledger import sql

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
    return _durable(use_case, nullcontext)


def pipelined(use_case: Callable[P, R]) -> Callable[P, R]:
    """A durable use case whose statements are sent without waiting for each, COMMIT with the last of them.

    It must not read a cursor's `rowcount`, nor count on an error to come from the statement that causes it.
    """
    return _durable(use_case, sql.pipeline_to_commit)


def _durable(use_case: Callable[P, R], sending: Callable[[], AbstractContextManager[None]]) -> Callable[P, R]:
    @functools.wraps(use_case)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            committing = False
            try:
                with transaction.atomic(durable=True), sending():
                    result = use_case(*args, **kwargs)
                    committing = True
                return result
            except (OperationalError, TryAgain) as error:
                if not isinstance(error, TryAgain) and _state(error) not in TRANSIENT:
                    if committing and not _undone(error):
                        raise OutcomeUnknown("The commit was interrupted; repeat with the same key.") from error
                    raise
                if attempt == ATTEMPTS:
                    raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError("unreachable")

    return run


def _state(error: OperationalError) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


def _undone(error: OperationalError) -> bool:
    """Whether the server itself tells that it failed, and lives: then nothing of the transaction stays."""
    diagnostic = getattr(error.__cause__, "diag", None)
    return diagnostic is not None and diagnostic.severity_nonlocalized == "ERROR"


def within(use_case: Callable[P, R]) -> Callable[P, R]:
    """A durable use case as part of another one, whose transaction is open."""
    return inspect.unwrap(use_case)
