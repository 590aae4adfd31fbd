"""The suite's databases: the owner makes them, the application's role works in them, each test worker has its own."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

import hypothesis
import pytest
from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from pytest_django import DjangoDbBlocker

OWNER = "owner"
# What the workers of a run copy their databases from, and the lock of the one that makes it.
MIGRATED, MIGRATING = "migrated", 1
# Enough to notice; those that need more say so, and `make torture` is for the rest.
hypothesis.settings.register_profile("suite", max_examples=30, deadline=None, database=None)
hypothesis.settings.load_profile("suite")
# What tests have written up to so many bytes is quicker deleted than all tables are emptied.
SMALL = 512 * 1024
# After how many new objects garbage is looked for, and how often among the older: Python's own are 700, 10 and 10.
FEW_LOOKS = 20_000, 20, 20
Rows = dict[str, list[bytes]]


def pytest_configure() -> None:
    """Give each test worker a Redis database of its own, before anything connects."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    url = getattr(settings, "REDIS_URL", None)
    if not worker or url is None:
        return
    own = f"{url.rpartition('/')[0]}/{int(worker.removeprefix('gw')) + 1}"
    os.environ["REDIS_URL"] = settings.REDIS_URL = own
    if url == settings.CELERY_BROKER_URL:
        settings.CELERY_BROKER_URL = own
    for cache in settings.CACHES.values():
        if cache["LOCATION"] == url:
            cache["LOCATION"] = own


def pytest_collection_finish() -> None:
    """What is there by now stays, all of Django among it: looking for garbage in it is a seventh of the suite."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*FEW_LOOKS)


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """Make the test database as its owner; `default` mirrors it, and reaches it in the application's role."""
    from django.test.utils import setup_databases, teardown_databases

    verbosity = request.config.option.verbose
    with django_db_blocker.unblock(), _migrated_once():
        made = setup_databases(verbosity=verbosity, interactive=False, aliases={OWNER: False}, serialized_aliases=[])
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        teardown_databases(made, verbosity=verbosity)


@contextmanager
def _migrated_once() -> Iterator[None]:
    """The first worker of a run migrates the database it makes in the block; those of the others are copies of it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        yield
        return
    # Beside the usual connection, which is closed whenever a database is made.
    aside = connections.create_connection(OWNER)
    with aside.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
        cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [MIGRATED])
        if cursor.fetchone() == (run,):
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
            connections[OWNER].settings_dict["TEST"]["TEMPLATE"] = MIGRATED
            yield
        else:
            yield
            own = connections[OWNER].settings_dict["NAME"]
            # Nobody may be connected to what is copied.
            connections.close_all()
            cursor.execute(f"DROP DATABASE IF EXISTS {MIGRATED}")
            cursor.execute(f'CREATE DATABASE {MIGRATED} TEMPLATE "{own}"')
            cursor.execute(f"COMMENT ON DATABASE {MIGRATED} IS '{run}'")
    aside.close()


@pytest.fixture(scope="session")
def rows_from_migrations(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Rows:
    """What the tables hold before any test, as COPY writes it: wiping puts it back."""
    with django_db_blocker.unblock(), connections[OWNER].cursor() as cursor:
        return {table: rows for table in _tables(cursor) if (rows := _copy_out(cursor, table))}


@pytest.fixture
def committed(rows_from_migrations: Rows, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A real database for threads: what is written is committed, and wiped afterwards, append-only tables included."""
    with _wiped_afterwards(rows_from_migrations, django_db_blocker):
        yield


@pytest.fixture(scope="module")
def committed_once(rows_from_migrations: Rows, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The same for all tests of a module: what is costly to write is there for each of them."""
    with _wiped_afterwards(rows_from_migrations, django_db_blocker):
        yield


@contextmanager
def _wiped_afterwards(kept: Rows, blocker: DjangoDbBlocker) -> Iterator[None]:
    with blocker.unblock():
        try:
            yield
        finally:
            connections.close_all()
            _wipe(connections[OWNER], kept)
            connections.close_all()
            _flush_redis()


def _wipe(connection: BaseDatabaseWrapper, kept: Rows) -> None:
    """Empty every table as its owner, with the triggers of what is emptied off for this one transaction."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        tables = _tables(cursor)
        written = {table: size for table, size in _sizes(cursor, tables) if table not in kept}
        untouched = all(_copy_out(cursor, table) == rows for table, rows in kept.items())
        if untouched and sum(written.values()) <= SMALL:
            with _triggers_off(cursor, list(written)):
                for table in written:
                    cursor.execute(f"DELETE FROM {table}")
        else:
            with _triggers_off(cursor, tables):
                _empty(cursor, tables, kept)


@contextmanager
def _triggers_off(cursor: CursorWrapper, tables: list[str]) -> Iterator[None]:
    """Off for the block, and afterwards as they were. Each that is altered costs, so only those that must be are."""
    special = _special_triggers(cursor, tables)
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    # Foreign keys are looked at now: a table with pending checks can't be altered.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for table, trigger, state in special:
        cursor.execute(f"ALTER TABLE {table} {state} TRIGGER {trigger}")


def _empty(cursor: CursorWrapper, tables: list[str], kept: Rows) -> None:
    """Whatever is in them: all files are made anew, which takes its time."""
    cursor.execute(f"TRUNCATE {', '.join(tables)}")
    for table, rows in kept.items():
        with cursor.cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write(row)


def _sizes(cursor: CursorWrapper, tables: list[str]) -> list[tuple[str, int]]:
    """The tables that have rows, and their sizes in bytes."""
    look = "SELECT '{0}', pg_relation_size('{0}') WHERE EXISTS (SELECT FROM {0})"
    cursor.execute(" UNION ALL ".join(look.format(table) for table in tables))
    return cursor.fetchall()


def _tables(cursor: CursorWrapper) -> list[str]:
    cursor.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'django_migrations' ORDER BY 1"
    )
    return [table for (table,) in cursor.fetchall()]


def _special_triggers(cursor: CursorWrapper, tables: list[str]) -> list[tuple[str, str, str]]:
    """Triggers that ENABLE TRIGGER USER would not give back as they were."""
    cursor.execute(
        "SELECT tgrelid::regclass::text, quote_ident(tgname),"
        " CASE tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'DISABLE' END"
        " FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O' AND tgrelid = ANY (%s::text[]::regclass[])",
        [tables],
    )
    return cursor.fetchall()


def _copy_out(cursor: CursorWrapper, table: str) -> list[bytes]:
    with cursor.cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:
        return [bytes(row) for row in copy]


def _flush_redis() -> None:
    url = getattr(settings, "REDIS_URL", None)
    if url is not None:
        from redis import Redis

        with Redis.from_url(url) as redis:
            redis.flushdb()
