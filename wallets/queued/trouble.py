"""What becomes of a transfer that a worker stumbled over: later, or never without a person."""

import logging
import random
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError

from ledger import sql
from ledger.durable import OutcomeUnknown, TryAgain, durable
from users import audit
from wallets.queued.outcomes import NOTHING, WORKERS, Drained

logger = logging.getLogger(__name__)

# What passes: a lock that somebody holds, a statement that took too long, a lost race, a deadlock.
PASSES = frozenset({"55P03", "57014", "40001", "40P01"})
TRIES = 20
LONGEST_PAUSE = 300.0


def passes(error: Exception) -> bool:
    """Whether it is worth trying again."""
    return isinstance(error, TryAgain) or getattr(error.__cause__, "sqlstate", None) in PASSES


def is_away(error: Exception) -> bool:
    """Whether the database itself is the trouble: true for all of them, who stay due for when it is back."""
    return isinstance(error, OperationalError | InterfaceError | OutcomeUnknown) and not passes(error)


@durable
def put_by(id: UUID, error: Exception, now: datetime) -> Drained:
    """Put one off that may be made later, or set it aside where only a person can tell."""
    locked = "SELECT tries FROM wallets_transfer WHERE id = %s AND status = 'queued' FOR NO KEY UPDATE SKIP LOCKED"
    rows = sql.rows(locked, (id,))
    if not rows:
        return NOTHING
    tries, trouble = rows[0][0] + 1, f"{type(error).__name__}: {error}".replace("\0", "")[:500]
    if passes(error) and tries < TRIES:
        logger.warning("The transfer %s is put off for the %s. time: %s", id, tries, trouble)
        sql.run(
            "UPDATE wallets_transfer SET next_at = %s, tries = %s, trouble = %s WHERE id = %s",
            (now + _pause(tries), tries, trouble, id),
        )
        return Drained(put_off=1)
    sql.run("UPDATE wallets_transfer SET tries = %s WHERE id = %s", (tries, id))
    return set_aside(id, trouble, now, error=error)


def set_aside(id: UUID, trouble: str, now: datetime, *, error: Exception | None = None) -> Drained:
    """Leave one to a person, inside the caller's transaction, which has its row locked."""
    logger.error("The transfer %s is set aside for a person: %s", id, trouble, exc_info=error)
    sql.run(
        "UPDATE wallets_transfer SET status = 'set_aside', next_at = NULL, trouble = %s WHERE id = %s", (trouble, id)
    )
    audit.record(
        actor=WORKERS, action="transfer.set_aside", kind="transfer", object_id=id, data={"trouble": trouble}, now=now
    )
    return Drained(set_aside=1)


def _pause(tries: int) -> timedelta:
    """Ever longer, and not for all alike."""
    return timedelta(seconds=min(0.5 * 2.0**tries, LONGEST_PAUSE) * random.uniform(0.8, 1.2))
