"""Setting money aside and giving it back, for those who do only that. All of it goes through `posting`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ledger import sql
from ledger.durable import durable
from ledger.posting import Posted, lock, post_one
from ledger.requests import Close, Leg, Place, Posting

BATCH = 1_000


def place(hold: Place, *, now: datetime) -> Posted:
    """Set money aside, inside the caller's transaction. Raises InsufficientFunds."""
    return post_one(Posting("hold", hold.reference, places=(hold,)), now=now)


def release(account: UUID, hold: UUID, *, now: datetime) -> Posted:
    """Give all of a hold back. Raises HoldClosed."""
    return post_one(Posting("release", str(hold), closes=(Close(account, hold),)), now=now)


def capture(
    account: UUID, hold: UUID, amount: int, legs: Sequence[Leg], *, kind: str, reference: str, now: datetime
) -> Posted:
    """Spend `amount` of a hold by a transaction of these legs, and give the rest back. Raises HoldClosed."""
    posting = Posting(kind, reference, tuple(legs), closes=(Close(account, hold, amount),))
    return post_one(posting, now=now)


def due(*, now: datetime) -> int:
    """How many holds have expired and aren't closed yet."""
    return int(sql.rows("SELECT count(*) FROM ledger_hold WHERE status = 'open' AND expires_at <= %s", (now,))[0][0])


LAPSED = """
SELECT DISTINCT account_id FROM (
    SELECT account_id FROM ledger_hold WHERE status = 'open' AND expires_at <= %s ORDER BY expires_at LIMIT %s
) AS lapsed
"""


def sweep(*, now: datetime, limit: int = BATCH) -> int:
    """Close expired holds, oldest first; returns how many accounts it freed. Tidiness only: no balance waits for it."""
    accounts = [row[0] for row in sql.rows(LAPSED, (now, limit))]
    for account in accounts:
        _sweep_one(account, now)
    return len(accounts)


@durable
def _sweep_one(account: UUID, now: datetime) -> None:
    lock([(account, 0)], now)
