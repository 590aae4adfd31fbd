import time

import pytest

from walletproject import health
from walletproject.tests.problems import assert_problem

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def migrated():
    health._nothing_to_migrate.cache_clear()


def test_alive_touches_nothing(stranger, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = stranger.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_when_every_part_is(stranger):
    response = stranger.get("/health/ready")
    checks = {"database": "ok", "cache": "ok", "broker": "ok", "migrations": "ok"}
    assert (response.status_code, response.json()) == (200, {"status": "ok", "checks": checks})


def test_a_broken_cache_is_named(stranger, settings):
    broken = settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "default": broken}
    response = stranger.get("/health/ready")
    problem = assert_problem(response, 503, "not_ready")
    assert problem["checks"] == {"database": "ok", "cache": "the cache forgets", "broker": "ok", "migrations": "ok"}
    assert problem["detail"] == "Not ready: cache."
    assert response["Retry-After"]


def test_a_broker_that_is_away_is_named(stranger, monkeypatch):
    from walletproject.celery import app

    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    problem = assert_problem(stranger.get("/health/ready"), 503, "not_ready")
    assert problem["checks"]["broker"] == "unavailable"
    assert problem["checks"]["database"] == "ok"


def test_waiting_migrations_are_named(stranger, monkeypatch):
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: [("users", "0002")])
    problem = assert_problem(stranger.get("/health/ready"), 503, "not_ready")
    assert problem["checks"]["migrations"] == "1 migrations are waiting"


def test_a_part_that_hangs_is_not_waited_for(stranger, monkeypatch):
    monkeypatch.setattr(health, "SECONDS", 0.2)
    monkeypatch.setitem(health.CHECKS, "database", lambda: time.sleep(0.6))
    start = time.perf_counter()
    problem = assert_problem(stranger.get("/health/ready"), 503, "not_ready")
    assert time.perf_counter() - start < 0.5
    assert problem["checks"]["database"] == "too slow"
    time.sleep(0.5)


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_only_reading_is_allowed(stranger, path):
    assert_problem(stranger.post(path), 405, "method_not_allowed")
    assert stranger.head(path).status_code == 200
