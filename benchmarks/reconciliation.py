"""A hundred thousand lines of a statement against as many transactions: how long the import and the matching take."""

import json
from collections.abc import Iterator

from benchmarks import books
from benchmarks.measure import Row
from benchmarks.server import DATABASE, made, python

LINES, LINES_QUICK = 100_000, 10_000


def rows(*, quick: bool) -> Iterator[Row]:
    """In a process of the whole product, with a database of its own."""
    lines = LINES_QUICK if quick else LINES
    told = json.loads(python(made(), "-m", "benchmarks.reconciler", str(lines)))
    books.drop(DATABASE)
    sizes = f"{lines:,} lines against {lines:,} transactions"
    found = f"{told['matched']:,} lines matched, {told['breaks']:,} breaks open"
    yield Row(f"statement imported, {lines:,} lines of CSV", "seconds", told["import"], 10, at_most=True, unit="s")
    yield Row(f"reconciled, {sizes}", "seconds", told["run"], 60, at_most=True, unit="s", detail=found)
    yield Row("… once more, with nothing new", "seconds", told["again"], at_most=True, unit="s")
