"""Books with millions of entries: filled by the owner with the triggers off, in rows that keep every law.

Kept between runs for as long as the migrations stay the same.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
from django.db import connection, transaction
from psycopg import sql

import ledger
from benchmarks import books
from ledger import closing
from ledger.accounts import BUSY
from ledger.seals.sealing import seal_closed

OTHERS = 100
CHUNK = 250_000
FUNDED = 1_000
TABLES = ("ledger_transaction", "ledger_entry", "ledger_balance")
FILLING = "aged_unfinished"

# Transfer n, counted from 0, moves FUNDED from a lane of the till to a wallet: every fourth to the long one, the rest
# to the others in turn. So versions and balances are arithmetic.
MOVES = """
CREATE TEMP TABLE move ON COMMIT DROP AS
SELECT n, uuidv7((n - %(count)s) * interval '5 seconds') AS id, now() + (n - %(count)s) * interval '5 seconds' AS at,
       CASE WHEN n %% 4 = 0 THEN %(long)s ELSE (%(others)s::uuid[])[k %% {others} + 1] END AS wallet,
       CASE WHEN n %% 4 = 0 THEN n / 4 ELSE k / {others} END + 1 AS version
FROM generate_series(%(first)s::int8, %(last)s::int8) AS n, LATERAL (SELECT n - (n + 3) / 4 AS k) AS other
"""
TRANSACTIONS = """
INSERT INTO ledger_transaction (id, kind, reference, external_reference, description, metadata, posted_at, effective_at)
SELECT id, 'deposit', 'aged:' || n, '', '', '{}', at, at FROM move
"""
ENTRIES = """
INSERT INTO ledger_entry (account_id, lane, version, transaction_id, leg, amount, balance, posted_at)
SELECT %(till)s, n %% {lanes}, n / {lanes} + 1, id, 1, {amount}, {amount} * (n / {lanes} + 1), at FROM move
UNION ALL
SELECT wallet, 0, version, id, 2, -{amount}, -{amount} * version, at FROM move
"""
BALANCES = """
UPDATE ledger_balance b SET balance = e.balance, version = e.version, posted_at = e.posted_at
FROM (SELECT DISTINCT ON (account_id, lane) * FROM ledger_entry ORDER BY account_id, lane, version DESC) AS e
WHERE b.account_id = e.account_id AND b.lane = e.lane
"""


def prepare(entries: int, *, anew: bool = False) -> str:
    """The name of a database with as many entries, filled unless it is there already."""
    stem = f"aged_{entries}_"
    name = stem + _fingerprint()
    for other in books.databases():
        if other.startswith(stem) and (anew or other != name):
            books.drop(other)
    if name not in books.databases():
        _fill(entries)
        with books.owner() as server:
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            server.execute(rename.format(sql.Identifier(FILLING), sql.Identifier(name)))
    return name


def _fingerprint() -> str:
    """Changes with the migrations of the ledger and with this file."""
    files = [*sorted((Path(ledger.__file__).parent / "migrations").glob("0*.py")), Path(__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]


def _fill(entries: int) -> None:
    books.create(FILLING)
    long, *others = books.open_wallets(1 + OTHERS, code="w{number}")
    till = books.open_till()
    connection.close()
    with books.owner(FILLING) as server:
        _switch(server, "DISABLE")
        for first in range(0, entries // 2, CHUNK):
            last = min(first + CHUNK, entries // 2) - 1
            _fill_chunk(server, till.id, long, others, first, last, entries // 2)
        server.execute(BALANCES)
        _switch(server, "ENABLE")
    books.settle(FILLING)
    _seal()


def _seal() -> None:
    """Close and seal all days but today."""
    with transaction.atomic():
        closing.close(books.now().date() - closing.DAY, by="benchmark", grace=timedelta(), now=books.now())
    seal_closed(by="benchmark", clock=books.now)
    connection.close()


def _fill_chunk(
    server: psycopg.Connection, till: UUID, long: UUID, others: Sequence[UUID], first: int, last: int, count: int
) -> None:
    words = {"first": first, "last": last, "count": count, "long": long, "others": list(others), "till": till}
    numbers = {"others": OTHERS, "lanes": BUSY, "amount": FUNDED}
    with server.transaction():
        server.execute(MOVES.format(**numbers), words)
        server.execute(TRANSACTIONS)
        server.execute(ENTRIES.format(**numbers), words)


def _switch(server: psycopg.Connection, how: str) -> None:
    for table in TABLES:
        server.execute(sql.SQL(f"ALTER TABLE {{}} {how} TRIGGER USER").format(sql.Identifier(table)))
