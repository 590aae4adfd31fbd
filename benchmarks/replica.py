"""The server alone: the rows that the engine wrote, written again by INSERT … SELECT into tables without laws."""

from collections.abc import Sequence
from uuid import UUID

import psycopg

from benchmarks import books

TABLES = """
CREATE TABLE bare_transaction (LIKE ledger_transaction INCLUDING ALL);
CREATE TABLE bare_entry (LIKE ledger_entry INCLUDING ALL);
CREATE TABLE bare_balance (LIKE ledger_balance INCLUDING ALL) WITH (fillfactor = 60);
INSERT INTO bare_transaction SELECT * FROM ledger_transaction;
INSERT INTO bare_entry SELECT * FROM ledger_entry;
INSERT INTO bare_balance SELECT * FROM ledger_balance;
CREATE UNLOGGED TABLE staged_transaction AS SELECT 0 AS batch, * FROM ledger_transaction LIMIT 0;
CREATE UNLOGGED TABLE staged_entry AS SELECT 0 AS batch, * FROM ledger_entry LIMIT 0;
CREATE UNLOGGED TABLE staged_balance AS SELECT 0 AS batch, * FROM ledger_balance LIMIT 0;
CREATE INDEX ON staged_transaction (batch);
CREATE INDEX ON staged_entry (batch);
CREATE INDEX ON staged_balance (batch);
"""

STAGE = """
WITH transactions AS (
    INSERT INTO staged_transaction SELECT %(batch)s, t.* FROM ledger_transaction t WHERE id = ANY (%(ids)s)
), entries AS (
    INSERT INTO staged_entry SELECT %(batch)s, e.* FROM ledger_entry e WHERE transaction_id = ANY (%(ids)s)
)
INSERT INTO staged_balance (batch, account_id, lane, balance, version, posted_at)
SELECT DISTINCT ON (account_id, lane) %(batch)s, account_id, lane, balance, version, posted_at
FROM ledger_entry
WHERE transaction_id = ANY (%(ids)s) ORDER BY account_id, lane, version DESC
"""

WRITE = """
WITH posted AS (
    INSERT INTO bare_transaction ({transaction}) SELECT {transaction} FROM staged_transaction WHERE batch = %(batch)s
), moved AS (
    UPDATE bare_balance b SET balance = m.balance, version = m.version, posted_at = m.posted_at
    FROM staged_balance m WHERE m.batch = %(batch)s AND b.account_id = m.account_id AND b.lane = m.lane
)
INSERT INTO bare_entry ({entry}) SELECT {entry} FROM staged_entry WHERE batch = %(batch)s
"""


class Bare:
    """One backend that writes batches which were staged for it, each in a transaction of its own."""

    def __init__(self, name: str) -> None:
        self.connection = books.owner(name)
        self.connection.prepare_threshold = 0
        for statement in TABLES.strip().split(";\n"):
            self.connection.execute(statement)
        self.batches = 0
        self.staged: list[int] = []
        self.write = WRITE.format(transaction=self._columns("transaction"), entry=self._columns("entry"))

    def _columns(self, table: str) -> str:
        found: psycopg.Cursor = self.connection.execute(f"SELECT * FROM bare_{table} LIMIT 0")
        return ", ".join(column.name for column in found.description or ())

    def stage(self, batches: Sequence[Sequence[UUID]]) -> None:
        """Set aside what these batches of transactions wrote."""
        for ids in batches:
            self.batches += 1
            self.connection.execute(STAGE, {"batch": self.batches, "ids": list(ids)})
            self.staged.append(self.batches)
        self.connection.execute("ANALYZE staged_transaction, staged_entry, staged_balance")

    def repeat(self) -> int:
        """Write all that is set aside; returns how many batches that were."""
        staged, self.staged = self.staged, []
        for batch in staged:
            self.connection.execute(self.write, {"batch": batch})
        return len(staged)
