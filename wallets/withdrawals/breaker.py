"""The circuit breaker of each provider. After enough orders in a row that weren't answered, or one that says our keys
don't fit, new orders wait; a single one tries again after a pause, and its answer closes the circuit.
"""

import logging
import random
from datetime import datetime, timedelta

from ledger import sql
from ledger.durable import durable
from users import audit
from wallets import metrics
from wallets.providers.port import SubmitOutcome, SubmitResult
from wallets.withdrawals import switches
from wallets.withdrawals.steps import PAYOUTS

logger = logging.getLogger(__name__)

THRESHOLD = 5
PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
# How long orders wait that a person's pause keeps back; lifting it wakes them.
PAUSED = timedelta(minutes=5)

GATE = """
SELECT EXISTS (SELECT FROM wallets_payoutpause WHERE provider IN ('*', %(provider)s)),
       (SELECT retry_at FROM wallets_providercircuit WHERE provider = %(provider)s AND opened_at IS NOT NULL)
"""


def held_until(provider: str, *, lease: timedelta, now: datetime) -> datetime | None:
    """Until when new orders wait, or None for "go on". Through an open circuit one goes on after its pause: the probe.

    Inside the caller's transaction.
    """
    ((is_paused, retry_at),) = sql.rows(GATE, {"provider": provider})
    if is_paused:
        return now + PAUSED * random.uniform(0.8, 1.2)
    if retry_at is None:
        return None
    if retry_at <= now and _take_probe(provider, retry_at, now + lease):
        return None
    return max(retry_at, now) + PAUSE * random.random()


def is_open(provider: str) -> bool:
    """Whether the circuit is open."""
    return sql.rows(GATE, {"provider": provider})[0][1] is not None


def record(provider: str, result: SubmitResult, *, now: datetime) -> None:
    """Count what an order's answer says of its provider. To be told to come later is neither good nor bad."""
    if result.misconfigured:
        _failed(provider, f"It refuses us: {result.detail}", now, at_once=True)
    elif result.outcome in (SubmitOutcome.NOT_SENT, SubmitOutcome.UNKNOWN):
        if result.retry_after is None:
            _failed(provider, result.detail, now)
    else:
        _close(provider, now)


def _take_probe(provider: str, retry_at: datetime, until: datetime) -> bool:
    """Of all who want to try again, one may."""
    statement = "UPDATE wallets_providercircuit SET retry_at = %s WHERE provider = %s AND retry_at = %s"
    taken = sql.run(statement, (until, provider, retry_at)).rowcount == 1
    if taken:
        metrics.circuit_became(provider, "half_open")
    return taken


COUNT = """
INSERT INTO wallets_providercircuit AS c (provider, failures, reason, updated_at)
VALUES (%(provider)s, %(by)s, %(reason)s, %(now)s)
ON CONFLICT (provider) DO UPDATE
SET failures = greatest(c.failures + 1, %(by)s), reason = excluded.reason, updated_at = excluded.updated_at
RETURNING failures, opened_at
"""
OPEN = "UPDATE wallets_providercircuit SET opened_at = coalesce(opened_at, %s), retry_at = %s WHERE provider = %s"


@durable
def _failed(provider: str, reason: str, now: datetime, *, at_once: bool = False) -> None:
    counted = {"provider": provider, "by": THRESHOLD if at_once else 1, "reason": reason[:255], "now": now}
    ((failures, opened_at),) = sql.rows(COUNT, counted)
    if failures < THRESHOLD:
        return
    pause = min(PAUSE * 2 ** min(failures - THRESHOLD, 10), LONGEST_PAUSE)
    sql.run(OPEN, (now, now + pause, provider))
    metrics.circuit_became(provider, "open")
    if opened_at is None:
        logger.error("The circuit of %s is open, its orders wait: %s", provider, reason)
        _trail("circuit.opened", provider, {"failures": failures, "reason": reason}, now)


CLOSE = """
UPDATE wallets_providercircuit c SET failures = 0, opened_at = NULL, retry_at = NULL, reason = '', updated_at = %s
FROM (SELECT provider, opened_at FROM wallets_providercircuit WHERE provider = %s AND failures > 0 FOR UPDATE) AS old
WHERE c.provider = old.provider RETURNING old.opened_at
"""


@durable
def _close(provider: str, now: datetime) -> None:
    """Nothing is written, and nothing locked, where all was well before."""
    closed = sql.rows(CLOSE, (now, provider))
    if closed and closed[0][0] is not None:
        logger.warning("The circuit of %s is closed again.", provider)
        metrics.circuit_became(provider, "closed")
        switches.wake(provider, now)
        _trail("circuit.closed", provider, {}, now)


def _trail(action: str, provider: str, data: dict[str, object], now: datetime) -> None:
    audit.record(actor=PAYOUTS, action=action, kind="provider", object_id=provider, data=data, now=now)
