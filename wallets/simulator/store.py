"""Where the simulator keeps what it knows: SQLite, in memory or in a file that survives a kill."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    provider TEXT, currency TEXT, ledger INTEGER NOT NULL, locked INTEGER NOT NULL CHECK (locked >= 0), updated REAL,
    PRIMARY KEY (provider, currency), CHECK (ledger >= locked)
);
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY, provider TEXT, currency TEXT, kind TEXT, amount INTEGER NOT NULL, reference TEXT, at REAL
);
CREATE INDEX IF NOT EXISTS entries_of_a_reference ON entries (provider, reference);
CREATE TABLE IF NOT EXISTS recipients (
    id INTEGER PRIMARY KEY, code TEXT UNIQUE, provider TEXT, type TEXT, name TEXT, bank_code TEXT, account_number TEXT,
    currency TEXT, created REAL, UNIQUE (provider, bank_code, account_number, currency)
);
CREATE TABLE IF NOT EXISTS transfers (
    id INTEGER PRIMARY KEY, provider TEXT, reference TEXT, copy INTEGER, currency TEXT, amount INTEGER, fee INTEGER,
    state TEXT, word TEXT, detail TEXT, said_amount INTEGER, said_currency TEXT, said_fee INTEGER,
    bank_code TEXT, account_number TEXT, account_name TEXT, narration TEXT, recipient INTEGER,
    created REAL, updated REAL, paid REAL,
    UNIQUE (provider, reference, copy)
);
CREATE TABLE IF NOT EXISTS steps (
    id INTEGER PRIMARY KEY, transfer INTEGER NOT NULL REFERENCES transfers, due REAL, state TEXT, word TEXT,
    detail TEXT, applied REAL
);
CREATE INDEX IF NOT EXISTS steps_of_a_transfer ON steps (transfer);
CREATE INDEX IF NOT EXISTS steps_to_take ON steps (due) WHERE applied IS NULL;
CREATE TABLE IF NOT EXISTS deposits (
    id INTEGER PRIMARY KEY, token TEXT UNIQUE, provider TEXT, reference TEXT, kind TEXT, state TEXT, currency TEXT,
    asked INTEGER, paid INTEGER, paid_currency TEXT, fee INTEGER, email TEXT, name TEXT, return_url TEXT,
    metadata TEXT, created REAL, updated REAL, UNIQUE (provider, reference)
);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, provider TEXT, reference TEXT, event TEXT, body BLOB, headers TEXT, lane INTEGER, due REAL,
    held INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, outcome TEXT NOT NULL DEFAULT 'waiting'
);
CREATE INDEX IF NOT EXISTS deliveries_to_make ON deliveries (lane, due, id) WHERE outcome = 'waiting';
CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY AUTOINCREMENT, fault BLOB NOT NULL, left INTEGER);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
TABLES = ("accounts", "entries", "recipients", "steps", "transfers", "deposits", "deliveries", "faults", "settings")


class Store:
    """One connection, one transaction at a time; a transaction inside another is part of it."""

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._inside = False
        self._connection = sqlite3.connect(
            file or ":memory:", check_same_thread=False, isolation_level=None, timeout=0.5
        )
        self._connection.row_factory = sqlite3.Row
        # Two simulators on one file would be two banks with one purse: the second is refused.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing by this; only a machine that loses power would.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is done inside, or none of it."""
        with self._lock:
            if self._inside:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._inside = True
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._inside = False

    def run(self, sql: str, **values: Any) -> int:
        """Write; returns the id of what was inserted."""
        with self._lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def rows(self, sql: str, **values: Any) -> list[sqlite3.Row]:
        """Read."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, **values: Any) -> sqlite3.Row | None:
        """Read the first."""
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def insert(self, table: str, **values: Any) -> int:
        """Add a row; returns its id. Raises sqlite3.IntegrityError for one that is there already."""
        names = ", ".join(values)
        return self.run(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})", **values)

    def setting(self, name: str) -> str | None:
        """What was remembered under a name."""
        found = self.row("SELECT value FROM settings WHERE name = :name", name=name)
        return None if found is None else str(found["value"])

    def remember(self, name: str, value: str) -> None:
        """Remember a value under a name."""
        self.run("INSERT OR REPLACE INTO settings (name, value) VALUES (:name, :value)", name=name, value=value)

    def wipe(self) -> None:
        """Forget everything."""
        with self.transaction():
            for table in TABLES:
                self.run(f"DELETE FROM {table}")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()
