"""Undoing a transaction: by another one that mirrors it, since what is posted is never changed."""

from datetime import datetime
from typing import ClassVar, NamedTuple
from uuid import UUID

from django.db import IntegrityError

from ledger import sql
from ledger.posting import Posted, post_one
from ledger.requests import Close, Leg, Posting


class NotReversible(Exception):
    """The transaction isn't there, is reversed already, or is itself a reversal."""

    code: ClassVar[str] = "invalid_state"
    title: ClassVar[str] = "Not reversible"


LEGS = """
SELECT e.account_id, e.amount, (SELECT count(*) FROM ledger_balance b WHERE b.account_id = e.account_id)
FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
WHERE t.id = %s AND t.reverses_id IS NULL
  AND NOT EXISTS (SELECT FROM ledger_transaction r WHERE r.reverses_id = t.id)
ORDER BY e.leg
"""


# What is pending of a deposit has the deposit's reference.
PENDING = """
SELECT h.account_id, h.id FROM ledger_transaction t
JOIN ledger_hold h ON h.reference = t.reference AND h.kind = 'pending' AND h.status = 'open'
WHERE t.id = %s
"""

FOUND = """
SELECT t.kind, t.reference, t.reverses_id IS NOT NULL, r.id,
       ARRAY (SELECT a.code FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
              WHERE e.transaction_id = t.id ORDER BY e.leg)
FROM ledger_transaction t LEFT JOIN ledger_transaction r ON r.reverses_id = t.id
WHERE t.id = %s
"""


class Undoable(NamedTuple):
    """A transaction before it is undone: what it is, what it undid or was undone by, and the accounts it touched."""

    kind: str
    reference: str
    is_reversal: bool
    reversed_by: UUID | None
    codes: list[str]


def look(transaction: UUID) -> Undoable | None:
    """What there is to undo, or None where there is no such transaction."""
    found = sql.rows(FOUND, (transaction,))
    return Undoable(*found[0]) if found else None


def reversal(transaction: UUID, *, reference: str, kind: str = "reversal", description: str = "") -> Posting:
    """The posting that undoes a transaction, and what of it waits for its release. Raises NotReversible."""
    legs = tuple(Leg(account, -amount, lanes) for account, amount, lanes in sql.rows(LEGS, (transaction,)))
    if not legs:
        raise NotReversible(f"{transaction} is not there, is reversed already, or is a reversal; nothing was posted.")
    closes = tuple(Close(account, hold) for account, hold in sql.rows(PENDING, (transaction,)))
    return Posting(kind, reference, legs, closes=closes, description=description, reverses=transaction)


def reverse(transaction: UUID, *, reference: str, now: datetime, description: str = "") -> Posted:
    """Undo a transaction, inside the caller's. Raises NotReversible, and the books' refusal where money is gone."""
    try:
        return post_one(reversal(transaction, reference=reference, description=description), now=now)
    except IntegrityError as error:
        raise NotReversible(f"{transaction} was reversed by somebody else just now.") from error
