"""Is the process alive, and can it do its work? For load balancers, container platforms and people."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from contextlib import contextmanager
from functools import cache
from time import monotonic
from uuid import uuid4

import msgspec
from celery import current_app
from django.core.cache import caches
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from walletproject.errors import Problem

logger = logging.getLogger(__name__)

# Together; the checks run side by side.
SECONDS = 2.0


class NotReady(Exception):
    """A part that the product needs doesn't do its work; the text is fit for the answer."""


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else, so that a database's trouble never restarts the web."""
    return HttpResponse(b'{"status":"ok"}', content_type="application/json")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Every part that a request may need answers in time: 200, or 503 with the parts that don't."""
    found = _results(CHECKS)
    failing = [name for name, result in found.items() if result != "ok"]
    if failing:
        detail = f"Not ready: {', '.join(failing)}."
        return Problem(code="not_ready", detail=detail, data={"checks": found}).response()
    return HttpResponse(msgspec.json.encode({"status": "ok", "checks": found}), content_type="application/json")


def check_database() -> None:
    """PostgreSQL runs a query."""
    with _own_connection(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_cache() -> None:
    """The cache gives back what it was given."""
    key, value = f"health:{uuid4()}", "here"
    caches["default"].set(key, value, 5)
    if caches["default"].get(key) != value:
        raise NotReady("the cache forgets")


def check_broker() -> None:
    """The broker of the workers takes a connection."""
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=SECONDS)


def check_migrations() -> None:
    """The tables are those that this code was written for. Once they are, they stay so."""
    with _own_connection():
        _nothing_to_migrate()


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "cache": check_cache,
    "broker": check_broker,
    "migrations": check_migrations,
}


@cache
def _nothing_to_migrate() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise NotReady(f"{len(plan)} migrations are waiting")


@contextmanager
def _own_connection() -> Iterator[None]:
    """The checking thread's database connection, given back at the end: a thread that rests must not hold one."""
    try:
        yield
    finally:
        connection.close()


@cache
def _executor() -> ThreadPoolExecutor:
    """Few threads for all requests: what hangs can't pile up, and who finds them all hanging isn't ready either."""
    return ThreadPoolExecutor(max_workers=2 * len(CHECKS), thread_name_prefix="health")


def _results(checks: dict[str, Callable[[], None]]) -> dict[str, str]:
    deadline = monotonic() + SECONDS
    running = {name: _executor().submit(check) for name, check in checks.items()}
    return {name: _result(name, future, deadline) for name, future in running.items()}


def _result(name: str, future: Future[None], deadline: float) -> str:
    try:
        future.result(timeout=max(0.0, deadline - monotonic()))
    except TooSlow:
        future.cancel()
        return "too slow"
    except NotReady as problem:
        return str(problem)
    except Exception:
        logger.warning("Not ready: %s", name, exc_info=True)
        return "unavailable"
    return "ok"
