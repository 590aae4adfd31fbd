"""Undoing a transaction: by another one that mirrors it, since what is posted is never changed."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import IntegrityError

from ledger import sql
from ledger.posting import Posted, post_one
from ledger.requests import Leg, Posting


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


def reversal(transaction: UUID, *, reference: str, kind: str = "reversal", description: str = "") -> Posting:
    """The posting that undoes a transaction. Raises NotReversible."""
    legs = tuple(Leg(account, -amount, lanes) for account, amount, lanes in sql.rows(LEGS, (transaction,)))
    if not legs:
        raise NotReversible(f"{transaction} is not there, is reversed already, or is a reversal; nothing was posted.")
    return Posting(kind, reference, legs, description=description, reverses=transaction)


def reverse(transaction: UUID, *, reference: str, now: datetime, description: str = "") -> Posted:
    """Undo a transaction, inside the caller's. Raises NotReversible, and the books' refusal where money is gone."""
    try:
        return post_one(reversal(transaction, reference=reference, description=description), now=now)
    except IntegrityError as error:
        raise NotReversible(f"{transaction} was reversed by somebody else just now.") from error
