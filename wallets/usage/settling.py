"""What workers settle: all that is due, in batches; one wallet that can't be settled doesn't keep others from it."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from ledger import sql
from ledger.durable import durable
from users.callers import System
from wallets.together import DATABASE_AWAY
from wallets.usage.settlement import DUE, LONGEST_PAUSE, Due, settle, settle_locked

logger = logging.getLogger(__name__)

WORKERS = System("usage")
BATCH = 200
NEXT = DUE.format("a.settle_at <= %s ORDER BY a.settle_at LIMIT %s", "SKIP LOCKED")
WAITING = "SELECT wallet_id FROM wallets_usageaccount WHERE settle_at <= %s ORDER BY settle_at LIMIT %s"


def settle_due(*, clock: Callable[[], datetime], seconds: float) -> int:
    """Settle what is due, batch by batch, until nothing is or the time is over; returns how many were settled. Any
    number of workers may try at once.
    """
    end, settled = monotonic() + seconds, 0
    while monotonic() < end:
        looked, done = _settle_some(clock())
        settled += done
        if looked < BATCH:
            break
    return settled


def _settle_some(now: datetime) -> tuple[int, int]:
    try:
        return settle_batch(now=now)
    except DATABASE_AWAY:
        raise
    except Exception:
        logger.exception("A batch of usage couldn't be settled; its wallets are, one by one.")
        waiting = [wallet for (wallet,) in sql.rows(WAITING, (now, BATCH))]
        return len(waiting), sum(_settle_one(wallet, now) for wallet in waiting)


@durable
def settle_batch(*, now: datetime, limit: int = BATCH) -> tuple[int, int]:
    """Settle those that have been due for longest; returns how many were looked at, and how many settled. One that
    another worker is at is passed over.
    """
    due = [Due(*row) for row in sql.rows(NEXT, (now, limit))]
    return len(due), len(settle_locked(due, by=WORKERS, now=now))


def _settle_one(wallet: UUID, now: datetime) -> bool:
    try:
        return settle(wallet, by=WORKERS, now=now) is not None
    except DATABASE_AWAY:
        raise
    except Exception:
        logger.exception("The usage of %s couldn't be settled; it is put off.", wallet)
        _put_off(wallet, now + timedelta(seconds=LONGEST_PAUSE))
        return False


@durable
def _put_off(wallet: UUID, until: datetime) -> None:
    sql.run("UPDATE wallets_usageaccount SET settle_at = %s WHERE wallet_id = %s", (until, wallet))
