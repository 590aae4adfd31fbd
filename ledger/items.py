"""An account's transactions as somebody outside sees them: one amount each, whichever lanes they touched.

They are read onwards from versions, one for each lane. A lane's versions are given out under its row's lock, so what is
committed later never has a lower one, and nothing is passed over.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ledger import sql

# Versions of each lane that are read at once.
CHUNK = 2_000


class Item(NamedTuple):
    """A transaction as far as it touched the account, on the account's normal side, in minor units."""

    transaction: UUID
    amount: int
    effective_at: datetime
    kind: str
    reference: str
    external_reference: str
    reverses: UUID | None


class Batch(NamedTuple):
    """Some of the items, and how far each lane has been read with them."""

    items: list[Item]
    versions: list[int]


LANES = "SELECT version, sign FROM ledger_balance WHERE account_id = %s ORDER BY lane"

# All of a transaction's entries on the account count, also those in lanes that are read later. They are looked up by
# the transaction alone: an account may have millions, and no plan shall begin with those.
ITEMS = """
SELECT t.id, whole.amount, t.effective_at, t.kind, t.reference, t.external_reference, t.reverses_id
FROM (
    SELECT DISTINCT e.transaction_id
    FROM unnest(%(after)s::int8[], %(upto)s::int8[]) WITH ORDINALITY AS l (after, upto, number)
    CROSS JOIN LATERAL (
        SELECT transaction_id FROM ledger_entry
        WHERE account_id = %(account)s AND lane = l.number - 1 AND version > l.after AND version <= l.upto
        ORDER BY version LIMIT %(chunk)s
    ) AS e
) AS touched
JOIN ledger_transaction t ON t.id = touched.transaction_id
CROSS JOIN LATERAL (
    SELECT (sum(CASE WHEN account_id = %(account)s THEN amount ELSE 0 END) * %(sign)s)::int8 AS amount
    FROM ledger_entry WHERE transaction_id = t.id
) AS whole
WHERE whole.amount <> 0
"""

BALANCE = """
SELECT coalesce(sum(b.sign * e.balance), 0)::int8
FROM unnest(%(versions)s::int8[]) WITH ORDINALITY AS l (version, number)
JOIN ledger_balance b ON b.account_id = %(account)s AND b.lane = l.number - 1
JOIN ledger_entry e ON e.account_id = b.account_id AND e.lane = b.lane AND e.version = l.version
"""


def items(account: UUID, after: Sequence[int]) -> Iterator[Batch]:
    """What was posted to an account since each of its lanes had these versions ([] for all of it), in batches.

    A transaction may come twice, in two batches, when it touched two lanes; it is whole both times.
    """
    lanes = sql.rows(LANES, (account,))
    current, done = [version for version, _ in lanes], list(after) or [0] * len(lanes)
    while done != current:
        upto = [min(version, reached + CHUNK) for version, reached in zip(current, done, strict=True)]
        wanted = {"after": sql.integers(done), "upto": sql.integers(upto), "chunk": CHUNK, "sign": lanes[0][1]}
        yield Batch([Item(*row) for row in sql.rows(ITEMS, {"account": account, **wanted})], upto)
        done = upto


def unread(account: UUID, after: Sequence[int]) -> int:
    """How many entries were posted to an account since each of its lanes had these versions ([] for all of them)."""
    return sum(version for version, _ in sql.rows(LANES, (account,))) - sum(after)


def balance_at(account: UUID, versions: Sequence[int]) -> int:
    """What the account stood at when its lanes had these versions, on its normal side, in minor units."""
    return int(sql.rows(BALANCE, {"account": account, "versions": sql.integers(versions)})[0][0])
