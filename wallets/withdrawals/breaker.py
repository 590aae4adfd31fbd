"""The circuit breakers of each provider. After enough orders in a row that weren't answered, or one that says our keys
don't fit, new orders wait; after one that says we hold too little there, those in its currency do. A single one tries
again after a pause, and its answer closes the circuit.
"""

import logging
import random
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from ledger import sql
from ledger.durable import durable
from users import audit
from wallets import bell, metrics
from wallets.providers.port import PayoutState, SubmitOutcome, SubmitResult
from wallets.withdrawals import switches
from wallets.withdrawals.steps import PAYOUTS

logger = logging.getLogger(__name__)

THRESHOLD = 5
PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
# How long orders wait that a person's pause keeps back; lifting it wakes them.
PAUSED = timedelta(minutes=5)


class Circuit(NamedTuple):
    """A provider's own, or with a currency that of our account there."""

    provider: str
    currency: str = ""

    def __str__(self) -> str:
        return f"{self.provider} {self.currency}".strip()


GATE = """
SELECT p.is_paused, c.provider, c.currency, c.retry_at
FROM (SELECT EXISTS (SELECT FROM wallets_payoutpause WHERE provider IN ('*', %(provider)s)) AS is_paused) p
LEFT JOIN wallets_providercircuit c
       ON c.provider = %(provider)s AND c.currency IN ('', %(currency)s) AND c.opened_at IS NOT NULL
"""


def held_until(provider: str, currency: str, *, lease: timedelta, now: datetime) -> datetime | None:
    """Until when new orders in a currency wait, or None for "go on". Through an open circuit one goes on after its
    pause: the probe. Inside the caller's transaction.
    """
    rows = sql.rows(GATE, {"provider": provider, "currency": currency})
    if rows[0][0]:
        return now + PAUSED * random.uniform(0.8, 1.2)
    circuits = {Circuit(*row[1:3]): row[3] for row in rows if row[1]}
    if not circuits:
        return None
    retry_at = max(circuits.values())
    if retry_at <= now and all(_take_probe(circuit, at, now + lease) for circuit, at in circuits.items()):
        return None
    return max(retry_at, now) + PAUSE * random.random()


def is_open(provider: str) -> bool:
    """Whether the provider's own circuit is open."""
    return sql.rows(GATE, {"provider": provider, "currency": ""})[0][1] is not None


def record(provider: str, currency: str, result: SubmitResult, *, now: datetime) -> None:
    """Count what an order's answer says of its provider and our account there. To be told to come later is neither
    good nor bad.
    """
    own, account = Circuit(provider), Circuit(provider, currency)
    if result.misconfigured:
        _failed(own, f"It refuses us: {result.detail}", now, at_once=True)
    elif result.outcome in (SubmitOutcome.NOT_SENT, SubmitOutcome.UNKNOWN):
        if result.retry_after is None:
            _failed(own, result.detail, now)
    else:
        _close(own, now)
    if result.underfunded:
        _failed(account, f"We hold too little there: {result.detail}", now, at_once=True)
    elif result.outcome in (SubmitOutcome.ACCEPTED, SubmitOutcome.ACTION_REQUIRED):
        _close(account, now)


def record_state(provider: str, currency: str, state: PayoutState, *, now: datetime) -> None:
    """Count what a provider says of an order, where that speaks of our account there."""
    if state.underfunded:
        _failed(Circuit(provider, currency), f"We hold too little there: {state.detail}", now, at_once=True)


def _take_probe(circuit: Circuit, retry_at: datetime, until: datetime) -> bool:
    """Of all who want to try again, one may."""
    statement = (
        "UPDATE wallets_providercircuit SET retry_at = %s WHERE provider = %s AND currency = %s AND retry_at = %s"
    )
    taken = sql.run(statement, (until, *circuit, retry_at)).rowcount == 1
    if taken:
        metrics.circuit_became(*circuit, "half_open")
    return taken


COUNT = """
INSERT INTO wallets_providercircuit AS c (provider, currency, failures, reason, updated_at)
VALUES (%(provider)s, %(currency)s, %(by)s, %(reason)s, %(now)s)
ON CONFLICT (provider, currency) DO UPDATE
SET failures = greatest(c.failures + 1, %(by)s), reason = excluded.reason, updated_at = excluded.updated_at
RETURNING failures, opened_at
"""
OPEN = """
UPDATE wallets_providercircuit SET opened_at = coalesce(opened_at, %s), retry_at = %s
WHERE provider = %s AND currency = %s
"""


@durable
def _failed(circuit: Circuit, reason: str, now: datetime, *, at_once: bool = False) -> None:
    counted = circuit._asdict() | {"by": THRESHOLD if at_once else 1, "reason": reason[:255], "now": now}
    ((failures, opened_at),) = sql.rows(COUNT, counted)
    if failures < THRESHOLD:
        return
    pause = min(PAUSE * 2 ** min(failures - THRESHOLD, 10), LONGEST_PAUSE)
    sql.run(OPEN, (now, now + pause, *circuit))
    metrics.circuit_became(*circuit, "open")
    if opened_at is None:
        logger.error("The circuit of %s is open, its orders wait: %s", circuit, reason)
        _trail("circuit.opened", circuit, {"failures": failures, "reason": reason}, now)
        if circuit.currency:
            transaction.on_commit(lambda: bell.ring("wallets.mail_shortages"))


CLOSE = """
UPDATE wallets_providercircuit c SET failures = 0, opened_at = NULL, retry_at = NULL, reason = '', updated_at = %s
FROM (SELECT id, opened_at FROM wallets_providercircuit
      WHERE provider = %s AND currency = %s AND failures > 0 FOR UPDATE) AS old
WHERE c.id = old.id RETURNING old.opened_at
"""


@durable
def _close(circuit: Circuit, now: datetime) -> None:
    """Nothing is written, and nothing locked, where all was well before."""
    closed = sql.rows(CLOSE, (now, *circuit))
    if closed and closed[0][0] is not None:
        logger.warning("The circuit of %s is closed again.", circuit)
        metrics.circuit_became(*circuit, "closed")
        switches.wake(circuit.provider, now, currency=circuit.currency)
        _trail("circuit.closed", circuit, {}, now)


def _trail(action: str, circuit: Circuit, data: dict[str, object], now: datetime) -> None:
    if circuit.currency:
        data = data | {"currency": circuit.currency}
    audit.record(actor=PAYOUTS, action=action, kind="provider", object_id=circuit.provider, data=data, now=now)
