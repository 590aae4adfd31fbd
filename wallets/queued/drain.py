"""Making what waits, in batches: claimed, decided, posted and ended in one transaction, so that a worker that dies
at any step leaves all as it was.

Batches take turns, whichever worker makes them: so transfers are made in the order in which they were accepted, and
but one worker is kept from other work. What has to be put off loses its place.
"""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import msgspec
from django.db import InterfaceError, OperationalError

from ledger import sql
from ledger.decision import Refused
from ledger.durable import OutcomeUnknown, TryAgain, durable
from ledger.posting import post
from users import audit
from users.callers import Caller, System
from wallets.access import Access, WalletRefused, reach
from wallets.queued.accept import ring
from wallets.transfers import Order, Route

logger = logging.getLogger(__name__)

QUEUE = System("transfers")
BATCH = 500
# What passes: a lock that somebody holds, a statement that took too long, a lost race, a deadlock.
PASSES = frozenset({"55P03", "57014", "40001", "40P01"})
LOCK_TIMEOUT = "1s"
TRIES = 20
LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of queued transfers: how many were made, refused, put off for later, and set aside for a person."""

    completed: int = 0
    failed: int = 0
    put_off: int = 0
    set_aside: int = 0

    def __add__(self, other: "Drained") -> "Drained":
        return Drained(
            self.completed + other.completed, self.failed + other.failed, self.put_off + other.put_off,
            self.set_aside + other.set_aside,
        )  # fmt: skip

    def __bool__(self) -> bool:
        return self != NOTHING


NOTHING = Drained()


def drain(*, clock: Callable[[], datetime], seconds: float) -> Drained:
    """Make what is due, batch by batch, until nothing is or the time is over; then a worker is rung again.

    Any number of workers may try at once: who finds another one's batch under way leaves the rest to that one.
    Raises what keeps the database away; all is left as it was then.
    """
    end, all_done = monotonic() + seconds, NOTHING
    while done := drain_batch(now=clock()):
        all_done += done
        if monotonic() >= end:
            ring()
            break
    return all_done


def drain_batch(*, now: datetime, limit: int = BATCH) -> Drained:
    """Make the transfers that have been due for longest, if no other worker is at it. Raises as `drain` does."""
    return _attempt(DUE, (now, limit), now)


def _attempt(claim: str, parameters: tuple[object, ...], now: datetime) -> Drained:
    """Make those of a claim. One that can't be made must not keep the others from it: they are halved to find it."""
    taken: list[UUID] = []
    try:
        return _make(claim, parameters, taken, now)
    except Exception as caught:
        if not taken or _is_away(caught):
            raise
        error = caught
    if len(taken) == 1:
        return _put_by(taken[0], error, now)
    halves = taken[: len(taken) // 2], taken[len(taken) // 2 :]
    first, second = (_attempt(THESE, (sql.uuids(half), now), now) for half in halves)
    return first + second


def _passes(error: Exception) -> bool:
    return isinstance(error, TryAgain) or getattr(error.__cause__, "sqlstate", None) in PASSES


def _is_away(error: Exception) -> bool:
    """Whether the database itself is the trouble: true for all of them, who stay due for when it is back."""
    return isinstance(error, OperationalError | InterfaceError | OutcomeUnknown) and not _passes(error)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued transfer as it was claimed: its row is locked until all is committed."""

    id: UUID
    source: UUID
    destination: UUID
    amount: int
    description: str
    reference: str
    metadata: dict[str, object]
    created_by: str

    def route(self, wallets: dict[UUID, Access]) -> Route | WalletRefused:
        """Its way, unless a wallet has been frozen or closed since it was accepted."""
        kind, _, caller = self.created_by.partition(":")
        order = Order(
            caller=Caller("service" if kind == "service" else "person", UUID(caller)), source=self.source,
            amount=self.amount, destination=self.destination, description=self.description, reference=self.reference,
            metadata=self.metadata, id=self.id, request_id="",
        )  # fmt: skip
        route = Route(order, wallets[self.source], wallets[self.destination])
        try:
            route.check_open()
        except WalletRefused as refusal:
            return refusal
        return route


# A batch's turn is an advisory lock of two numbers (those of idempotency have one), which ends with its transaction,
# however that ends. Rows that somebody else has locked are passed over.
CLAIM = """
SELECT id, source_id, destination_id, amount, description, reference, metadata, created_by
FROM wallets_transfer
WHERE (SELECT pg_try_advisory_xact_lock(1, 1)) AND status = 'queued' AND {}
ORDER BY next_at, id {} FOR NO KEY UPDATE SKIP LOCKED
"""
DUE = CLAIM.format("next_at <= %s", "LIMIT %s")
THESE = CLAIM.format("id = ANY (%s::uuid[]) AND next_at <= %s", "")


@durable
def _make(claim: str, parameters: tuple[object, ...], taken: list[UUID], now: datetime) -> Drained:
    """Claim, decide, post and end in one transaction; `taken` is told who they are, also where it fails."""
    with sql.pipeline():
        sql.run(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        waiting = [Waiting(*row) for row in sql.rows(claim, parameters)]
        taken[:] = [each.id for each in waiting]
        return _end(waiting, _post(waiting, now), now) if waiting else NOTHING


def _post(waiting: Sequence[Waiting], now: datetime) -> list[Refused | WalletRefused | None]:
    """Post them in order, each seeing what those before it did; a refusal for each that can't be."""
    wallets = reach((), {id for each in waiting for id in (each.source, each.destination)})
    routes = [each.route(wallets) for each in waiting]
    open_routes = [route for route in routes if isinstance(route, Route)]
    refusals = iter(post([route.posting() for route in open_routes], now=now).refusals if open_routes else ())
    return [next(refusals) if isinstance(route, Route) else route for route in routes]


# The wallets are looked at again now that their accounts are locked, as where transfers are made at once.
COMPLETE = """
UPDATE wallets_transfer t
SET status = CASE WHEN s.status = 'active' AND d.status <> 'closed' THEN 'completed' ELSE wallets_lost_race() END,
    transaction_id = t.id, next_at = NULL, trouble = ''
FROM unnest(%s::uuid[]) AS made (id), wallets_wallet s, wallets_wallet d
WHERE t.id = made.id AND s.id = t.source_id AND d.id = t.destination_id
"""
FAIL = """
UPDATE wallets_transfer t SET status = 'failed', failure = f.failure, next_at = NULL, trouble = ''
FROM unnest(%s::uuid[], %s::jsonb[]) AS f (id, failure) WHERE t.id = f.id
"""


def _end(waiting: Sequence[Waiting], refusals: Sequence[Refused | WalletRefused | None], now: datetime) -> Drained:
    made = [each.id for each, refusal in zip(waiting, refusals, strict=True) if refusal is None]
    failed = {each.id: problem(refusal) for each, refusal in zip(waiting, refusals, strict=True) if refusal is not None}
    if made:
        sql.run(COMPLETE, (sql.uuids(made),))
    if failed:
        documents = sql.texts(msgspec.json.encode(failure).decode() for failure in failed.values())
        sql.run(FAIL, (sql.uuids(failed), documents))
    audit.record_many([
        *(audit.Event(actor=QUEUE, action="transfer.made", kind="transfer", object_id=id, now=now) for id in made),
        *(audit.Event(actor=QUEUE, action="transfer.failed", kind="transfer", object_id=id, data=failure, now=now)
          for id, failure in failed.items()),
    ])  # fmt: skip
    return Drained(completed=len(made), failed=len(failed))


def problem(refusal: Refused | WalletRefused) -> dict[str, object]:
    """What the client is told of it, but for the type that its code makes."""
    return {"title": refusal.title, "code": refusal.code, "detail": str(refusal), **refusal.data}


@durable
def _put_by(id: UUID, error: Exception, now: datetime) -> Drained:
    """Put one off that may be made later, or set it aside where only a person can tell."""
    locked = "SELECT tries FROM wallets_transfer WHERE id = %s AND status = 'queued' FOR NO KEY UPDATE SKIP LOCKED"
    rows = sql.rows(locked, (id,))
    if not rows:
        return NOTHING
    tries, trouble = rows[0][0] + 1, f"{type(error).__name__}: {error}".replace("\0", "")[:500]
    if _passes(error) and tries < TRIES:
        logger.warning("The transfer %s is put off for the %s. time: %s", id, tries, trouble)
        sql.run(
            "UPDATE wallets_transfer SET next_at = %s, tries = %s, trouble = %s WHERE id = %s",
            (now + _pause(tries), tries, trouble, id),
        )
        return Drained(put_off=1)
    logger.error("The transfer %s is set aside for a person.", id, exc_info=error)
    sql.run(
        "UPDATE wallets_transfer SET status = 'set_aside', next_at = NULL, tries = %s, trouble = %s WHERE id = %s",
        (tries, trouble, id),
    )
    audit.record(
        actor=QUEUE, action="transfer.set_aside", kind="transfer", object_id=id, data={"trouble": trouble}, now=now
    )
    return Drained(set_aside=1)


def _pause(tries: int) -> timedelta:
    """Ever longer, and not for all alike."""
    return timedelta(seconds=min(0.5 * 2.0**tries, LONGEST_PAUSE) * random.uniform(0.8, 1.2))
