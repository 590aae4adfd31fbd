"""Lists, pages and reports of the back office over old books: how long the server makes a person wait."""

import json
import os
import statistics
from collections.abc import Iterator
from urllib.parse import urlsplit

from psycopg import sql

from benchmarks import books, old_books
from benchmarks.aged import OLD, OLD_QUICK
from benchmarks.measure import Row
from benchmarks.server import environment, python

DATABASE = "bench_lists"
TARGET = 300.0


def rows(*, quick: bool) -> Iterator[Row]:
    """The time that one visit in twenty is slower than, of each page, in a copy of the books that has the product."""
    size = OLD_QUICK if quick else OLD
    _copy(old_books.prepare(size))
    own = {
        name: urlsplit(os.environ[name])._replace(path=f"/{DATABASE}").geturl()
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL")
    }
    product = environment(own)
    python(product, "manage.py", "migrate", "--database", "owner", "--verbosity", "0")
    for what, took in json.loads(python(product, "-m", "benchmarks.visitor")).items():
        slow = statistics.quantiles(took, n=20)[-1]
        detail = f"{statistics.median(took):,.0f} ms by the median"
        yield Row(f"{what}, {size:,} entries", "", slow, TARGET, at_most=True, unit="ms", detail=detail)
    books.drop(DATABASE)


def _copy(name: str) -> None:
    books.drop(DATABASE)
    with books.owner() as server:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        server.execute(copy.format(sql.Identifier(DATABASE), sql.Identifier(name)))


def _renamed(url: str) -> str:
    return urlsplit(url)._replace(path=f"/{DATABASE}").geturl()
