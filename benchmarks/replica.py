"""The server alone: the rows that the engine wrote, written again by INSERT … SELECT into a copy of the books."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from benchmarks import books

TABLES = ("transaction", "entry", "balance")
STAGED = """
CREATE UNLOGGED TABLE staged_{table} AS SELECT 0 AS batch, * FROM ledger_{table} LIMIT 0;
CREATE INDEX ON staged_{table} (batch)
"""
# What the engine wrote for some transactions; of a balance, as they left it.
WRITTEN = {
    "transaction": "SELECT {columns} FROM ledger_transaction WHERE id = ANY (%(ids)s)",
    "entry": "SELECT {columns} FROM ledger_entry WHERE transaction_id = ANY (%(ids)s)",
    "balance": """SELECT DISTINCT ON (account_id, lane) {columns} FROM ledger_entry
                  WHERE transaction_id = ANY (%(ids)s) ORDER BY account_id, lane, version DESC""",
}
MOVED = "account_id, lane, balance, version, posted_at"
WRITE = """
WITH posted AS (
    INSERT INTO ledger_transaction ({transaction})
    SELECT {transaction} FROM staged_transaction WHERE batch = %(batch)s
), moved AS (
    UPDATE ledger_balance b SET balance = m.balance, version = m.version, posted_at = m.posted_at
    FROM staged_balance m WHERE m.batch = %(batch)s AND b.account_id = m.account_id AND b.lane = m.lane
)
INSERT INTO ledger_entry ({entry}) SELECT {entry} FROM staged_entry WHERE batch = %(batch)s
"""
LAWLESS = """
DO $$
DECLARE law record;
BEGIN
    FOR law IN SELECT conrelid::regclass AS "table", conname FROM pg_constraint
        WHERE contype = 'f' AND conrelid = ANY ('{ledger_transaction, ledger_entry, ledger_balance}'::regclass[])
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', law."table", law.conname);
    END LOOP;
END $$;
ALTER TABLE ledger_transaction DISABLE TRIGGER USER;
ALTER TABLE ledger_entry DISABLE TRIGGER USER;
ALTER TABLE ledger_balance DISABLE TRIGGER USER
"""


class Replica:
    """A copy of the engine's books, with its laws or without, and one backend that writes batches there which were
    staged for it, each in a transaction of its own.
    """

    def __init__(self, engine: str, *, laws: bool) -> None:
        self.name = f"{engine}_{'lawful' if laws else 'lawless'}"
        books.copy(engine, self.name)
        self.engine, self.server = engine, books.owner(self.name)
        self.server.prepare_threshold = 0
        for table in TABLES:
            for statement in STAGED.format(table=table).split(";"):
                self.server.execute(statement)
        if not laws:
            self.server.execute(LAWLESS, prepare=False)
        self.columns = {table: self._columns(table) for table in ("transaction", "entry")} | {"balance": MOVED}
        self.write = WRITE.format(**self.columns)
        self.batches = 0
        self.staged: list[int] = []
        books.settle(self.name)

    def _columns(self, table: str) -> str:
        found: psycopg.Cursor = self.server.execute(f"SELECT * FROM ledger_{table} LIMIT 0")
        return ", ".join(column.name for column in found.description or ())

    def stage(self, batches: Sequence[Sequence[UUID]]) -> None:
        """Set aside what these batches of transactions wrote."""
        with books.owner(self.engine) as engine:
            for ids in batches:
                self.batches += 1
                for table, written in WRITTEN.items():
                    self._bring(table, engine, written.format(columns=self.columns[table]), {"ids": list(ids)})
                self.staged.append(self.batches)
        self.server.execute("ANALYZE staged_transaction, staged_entry, staged_balance")

    def _bring(self, table: str, engine: psycopg.Connection, written: str, asked: Mapping[str, Any]) -> None:
        query, columns = f"SELECT {self.batches}, w.* FROM ({written}) AS w", f"batch, {self.columns[table]}"
        with (
            engine.cursor().copy(f"COPY ({query}) TO STDOUT", asked) as found,
            self.server.cursor().copy(f"COPY staged_{table} ({columns}) FROM STDIN") as taken,
        ):
            for block in found:
                taken.write(block)

    def repeat(self) -> int:
        """Write all that is set aside; returns how many batches that were."""
        staged, self.staged = self.staged, []
        for batch in staged:
            self.server.execute(self.write, {"batch": batch})
        return len(staged)

    def drop(self) -> None:
        """Throw it away."""
        self.server.close()
        books.drop(self.name)
