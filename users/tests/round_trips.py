"""How often the database was gone to and back, counted on the wire."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from django.db import connection
from psycopg.pq import Trace


@contextmanager
def round_trips() -> Iterator[list[int]]:
    """Count the times that this thread's connection turned from sending to reading, by libpq's own trace."""
    counted: list[int] = []
    with tempfile.NamedTemporaryFile("w+b") as trace:
        connection.ensure_connection()
        wire = connection.connection.pgconn
        wire.trace(trace.fileno())
        wire.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        try:
            yield counted
        finally:
            wire.untrace()
            ends = [line[0] for line in Path(trace.name).read_text(errors="replace").splitlines() if line[:2] in ENDS]
            counted.append(sum(turn == ("F", "B") for turn in pairwise(ends)))


ENDS = ("F\t", "B\t")
