"""Hand-written SQL on Django's own connection: server-side parameters, prepared once, and arrays built quickly."""

import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from psycopg.adapt import Dumper
from psycopg.generators import fetch_many, send
from psycopg.postgres import types
from psycopg.pq import Format, TransactionStatus

T = TypeVar("T")

NUL = "\0"
# An array as it is sent: a literal or, where that is much quicker, in binary.
Array = str | bytes
# PostgreSQL counts microseconds from here.
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_alias: ContextVar[str] = ContextVar("ledger_sql_alias", default=DEFAULT_DB_ALIAS)


@contextmanager
def using(alias: str) -> Iterator[None]:
    """Run everything within on another of Django's connections: as the tables' owner, say."""
    token = _alias.set(alias)
    try:
        yield
    finally:
        _alias.reset(token)


def run(statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> psycopg.Cursor:
    """Execute a statement in the current transaction and return its cursor.

    It goes past Django's client-side parameters to a server-side prepared statement: the plan is made once for a
    connection. Answers come in binary, which is quicker to read. Raises Django's database errors.
    """
    connection = connections[_alias.get()]
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        return cursor.execute(statement, parameters or None, prepare=True, binary=True)


def in_pipeline() -> bool:
    """Whether statements are sent without waiting for each."""
    connection = connections[_alias.get()]
    return bool(connection.connection and connection.connection.pgconn.pipeline_status)


@contextmanager
def pipeline() -> Iterator[None]:
    """Send statements without waiting for each: the server works on one while the next is made. Within a pipeline, it
    is that one, and its end waits for nothing. Where it comes first in a transaction, BEGIN goes with it.

    Reading rows waits for them; an error may surface at a later statement or at the end of the block, and a cursor's
    `rowcount` is known only after it. So the statements within must tell by themselves what may not be.
    """
    connection = connections[_alias.get()]
    connection.ensure_connection()
    if in_pipeline():
        yield
        return
    wire = connection.connection
    begins = not wire.autocommit and wire.info.transaction_status == TransactionStatus.IDLE
    if begins:
        # Else psycopg begins, and waits for that alone.
        wire.autocommit = True
    with connection.wrap_database_errors, wire.pipeline():
        if begins:
            run("BEGIN")
        yield


@contextmanager
def pipeline_to_commit() -> Iterator[None]:
    """A pipeline that commits the open transaction with the last statement of the block, unless the block raises."""
    with pipeline():
        yield
        connection = connections[_alias.get()]
        # Whoever is durable has no savepoints, but for a test that has opened a transaction around it all.
        if not connection.savepoint_ids and not connection.needs_rollback:
            run("COMMIT")


def rows(statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """All the rows that a statement answers with."""
    return ask(statement, parameters)()


def ask(
    statement: str, parameters: Sequence[Any] | Mapping[str, Any] = (), *, soon: bool = False
) -> Callable[[], list[tuple[Any, ...]]]:
    """A statement's rows, to be read later, once: in a pipeline what is sent until then costs no wait of its own.

    Reading waits for all that was sent until then; for no more than the statement itself where it is asked for `soon`.
    """
    connection = connections[_alias.get()]
    cursor, wire = run(statement, parameters), connection.connection
    alone = soon and in_pipeline()
    if alone:
        with connection.wrap_database_errors:
            # Else the server would keep its answer until there is more of them.
            wire.pgconn.send_flush_request()
            wire.pgconn.flush()

    def read() -> list[tuple[Any, ...]]:
        with connection.wrap_database_errors:
            if alone:
                wire.wait(_answer(wire, cursor))
            return cursor.fetchall()

    return read


def _answer(wire: psycopg.Connection, cursor: psycopg.Cursor) -> Generator[Any, Any, None]:
    """Wait for the answer to one statement of a pipeline; psycopg itself would wait for those after it, too.

    What was sent after it goes out first. An answer that comes meanwhile is read then, and no socket tells of it:
    so it must be looked for before anything is waited for.
    """
    pipeline: Any = wire._pipeline
    yield from send(wire.pgconn)
    while cursor.pgresult is None:
        if results := (yield from fetch_many(wire.pgconn)):
            pipeline._process_results(pipeline.result_queue.popleft(), results)


def decimals(values: Iterable[Decimal]) -> str:
    """An array literal of numbers: a third of the cost of binding a list, as are all of these."""
    return "{" + ",".join(map(str, values)) + "}"


class Integers(bytes):
    """An array of integers of 64 bits in the server's binary form."""


class Uuids(bytes):
    """An array of ids in the server's binary form, which it reads twice as quickly as a literal."""


class Moments(bytes):
    """An array of moments in the server's binary form, five times as quick to read."""


class _AsItIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


class _IntegersDumper(_AsItIs):
    oid = types["int8"].array_oid


class _UuidsDumper(_AsItIs):
    oid = types["uuid"].array_oid


class _MomentsDumper(_AsItIs):
    oid = types["timestamptz"].array_oid


psycopg.adapters.register_dumper(Integers, _IntegersDumper)
psycopg.adapters.register_dumper(Uuids, _UuidsDumper)
psycopg.adapters.register_dumper(Moments, _MomentsDumper)

# How many dimensions; whether some are null; of which type; how many; from which index on. Each comes with its length.
_head, _eight = struct.Struct("!5i").pack, struct.Struct("!iq").pack
_NULL, _SIXTEEN = struct.pack("!i", -1), struct.pack("!i", 16)


def integers(values: Iterable[int]) -> Integers:
    """An array of integers of 64 bits at most; where others are meant, the statement casts them."""
    items = [_eight(8, value) for value in values]
    return Integers(_head(1, 0, types["int8"].oid, len(items), 1) + b"".join(items))


def uuids(values: Iterable[UUID | None]) -> Uuids:
    """An array of ids."""
    return Uuids(_array("uuid", values, _id))


def hashes(values: Iterable[bytes]) -> Uuids:
    """An array of hashes of 16 bytes, which are kept as ids are."""
    items = [_SIXTEEN + value for value in values]
    return Uuids(_head(1, 0, types["uuid"].oid, len(items), 1) + b"".join(items))


def moments(values: Iterable[datetime | None]) -> Moments:
    """An array of aware moments."""
    return Moments(_array("timestamptz", values, _moment))


def _array(type_: str, values: Iterable[T | None], write: Callable[[T], bytes]) -> bytes:
    values = list(values)
    # Often they are all the same one.
    if values and all(value is values[0] for value in values):
        items = [_NULL if values[0] is None else write(values[0])] * len(values)
    else:
        items = [_NULL if value is None else write(value) for value in values]
    return _head(1, 1, types[type_].oid, len(items), 1) + b"".join(items)


def _id(value: UUID) -> bytes:
    # Not value.bytes, which is a call more; thousands are sent at a time.
    return _SIXTEEN + value.int.to_bytes(16)


def _moment(value: datetime) -> bytes:
    return _eight(8, (value - EPOCH) // _MICROSECOND)


def days(values: Iterable[date]) -> str:
    """An array literal of days."""
    return "{" + ",".join([value.isoformat() for value in values]) + "}"


def texts(values: Iterable[str]) -> str:
    """An array literal of texts, whatever they contain."""
    texts = list(values)
    if not texts:
        return "{}"
    # Escaped all at once; a text that contains the separator (PostgreSQL refuses NUL anyway) makes the counts differ.
    joined = NUL.join(texts).replace("\\", "\\\\").replace('"', '\\"')
    if joined.count(NUL) != len(texts) - 1:
        raise ValueError("A text can't contain NUL.")
    return '{"' + joined.replace(NUL, '","') + '"}'


def binaries(values: Iterable[bytes]) -> str:
    """An array literal of bytes."""
    return "{" + ",".join(['"\\\\x' + value.hex() + '"' for value in values]) + "}"


@contextmanager
def snapshot(*, writable: bool = False) -> Iterator[None]:
    """One state of the database for every query within, however long they take: for reports and proofs.

    Inside an open transaction it is that one's. Each query is planned for its own values. Nothing is written unless it
    is `writable`, and never to the books.
    """
    outermost = not connections[_alias.get()].in_atomic_block
    with transaction.atomic(using=_alias.get()):
        if outermost:
            run(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ {'READ WRITE' if writable else 'READ ONLY'}")
        run("SET LOCAL statement_timeout = 0")
        run("SET LOCAL plan_cache_mode = force_custom_plan")
        yield


def plainly() -> None:
    """For the rest of the transaction, write moments as everywhere else, and take what time it takes."""
    for setting in ("timezone = 'UTC'", "datestyle = 'ISO, YMD'", "statement_timeout = 0"):
        run(f"SET LOCAL {setting}")


def copy(query: str, parameters: Mapping[str, Any]) -> Iterator[bytes]:
    """The rows of a query as COPY writes them, one by one, each with its newline. Nothing else runs meanwhile.

    Its parameters are put into its text, so that they can't be arrays in binary.
    """
    connection = connections[_alias.get()]
    connection.ensure_connection()
    cursor = psycopg.Cursor(connection.connection)
    with connection.wrap_database_errors, cursor.copy(f"COPY ({query}) TO STDOUT", parameters) as lines:
        for line in lines:
            yield bytes(line)
