"""Hand-written SQL on Django's own connection: server-side parameters, prepared once, and arrays built quickly."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

NUL = "\0"


def run(statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> psycopg.Cursor:
    """Execute a statement in the current transaction and return its cursor.

    It goes past Django's client-side parameters to a server-side prepared statement: the plan is made once for a
    connection. Answers come in binary, which is quicker to read. Raises Django's database errors.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        return cursor.execute(statement, parameters or None, prepare=True, binary=True)


@contextmanager
def pipeline() -> Iterator[None]:
    """Send statements without waiting for each: the server works on one while the next is made.

    Reading rows waits for them; an error may surface at a later statement or at the end of the block, and a cursor's
    `rowcount` is known only after it. So the statements within must tell by themselves what may not be.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def rows(statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """All the rows that a statement answers with."""
    return run(statement, parameters).fetchall()


def array(values: Iterable[int | Decimal]) -> str:
    """An array literal of numbers: a third of the cost of binding a list, as are those below."""
    return "{" + ",".join(map(str, values)) + "}"


def uuids(values: Iterable[UUID | None]) -> str:
    """An array literal of ids."""
    return "{" + ",".join(["NULL" if value is None else f"{value.int:032x}" for value in values]) + "}"


def moments(values: Iterable[datetime | None]) -> str:
    """An array literal of aware moments."""
    return "{" + ",".join(["NULL" if value is None else f'"{value.isoformat()}"' for value in values]) + "}"


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
