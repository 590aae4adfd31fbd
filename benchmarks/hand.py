"""What somebody in a hurry would write: one PL/pgSQL function for a transfer between two accounts of one lane.

It locks in order, checks and writes on the same tables with the same laws; it knows no metadata, no busy accounts, no
expired holds and no reason for a refusal.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from uuid_utils.compat import uuid7

from benchmarks import books

FUNCTION = """
CREATE FUNCTION transfer_by_hand(posting uuid, ref text, source uuid, destination uuid, amount bigint, now timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    lane ledger_balance;
    a ledger_balance;
    b ledger_balance;
BEGIN
    FOR lane IN SELECT * FROM ledger_balance l
        WHERE l.account_id IN (source, destination) AND l.lane = 0 ORDER BY l.account_id FOR NO KEY UPDATE
    LOOP
        IF lane.account_id = source THEN a := lane; ELSE b := lane; END IF;
    END LOOP;
    IF a.account_id IS NULL OR b.account_id IS NULL OR a.currency <> b.currency THEN
        RAISE EXCEPTION 'these accounts do not go together';
    END IF;
    IF a.sign * (a.balance + amount) - a.held - a.pending < a.floor THEN
        RAISE EXCEPTION 'insufficient funds';
    END IF;
    now := greatest(now, a.posted_at, b.posted_at);
    WITH posted AS (
        INSERT INTO ledger_transaction
            (id, kind, reference, external_reference, description, metadata, posted_at, effective_at)
        VALUES (posting, 'transfer', ref, '', '', '{}', now, now)
    ), moved AS (
        UPDATE ledger_balance l SET version = l.version + 1, posted_at = now,
            balance = l.balance + CASE WHEN l.account_id = source THEN amount ELSE -amount END
        WHERE l.account_id IN (source, destination) AND l.lane = 0
    )
    INSERT INTO ledger_entry (account_id, lane, version, transaction_id, leg, amount, balance, posted_at)
    VALUES (source, 0, a.version + 1, posting, 1, amount, a.balance + amount, now),
           (destination, 0, b.version + 1, posting, 2, -amount, b.balance - amount, now);
    RETURN a.version + 1;
END $$
"""

CALL = "SELECT transfer_by_hand(%s, %s, %s, %s, %s, %s)"


def install(name: str) -> None:
    """Make the function, as the owner."""
    with books.owner(name) as server:
        server.execute(FUNCTION)


@contextmanager
def transfers(name: str, wallets: Sequence[UUID]) -> Iterator[Callable[[], object]]:
    """A connection in autocommit, as the application's role, that transfers between any two wallets at each call."""
    with books.application(name) as connection, connection.cursor() as cursor:

        def act() -> object:
            source, destination = random.sample(wallets, 2)
            id = uuid7()
            amount = random.randint(1, 100)
            cursor.execute(CALL, (id, f"t:{id.hex}", source, destination, amount, books.now()))
            return cursor.fetchone()

        yield act
