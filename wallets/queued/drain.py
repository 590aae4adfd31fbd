"""Making what waits, in batches: claimed, decided, posted and ended in one transaction, so that a worker that dies
at any step leaves all as it was.

Batches take turns, whichever worker makes them: so transfers are made in the order in which they were accepted, and
but one worker is kept from other work. What has to be put off loses its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID

import msgspec

from ledger import sql
from ledger.decision import Refused
from ledger.durable import durable
from ledger.posting import post
from users import audit
from users.callers import Caller
from wallets import metrics
from wallets.access import Access, WalletRefused, reach
from wallets.queued import batches
from wallets.queued.accept import ring
from wallets.queued.outcomes import NOTHING, WORKERS, Drained
from wallets.queued.trouble import is_away, put_by
from wallets.transfers import Order, Route, check_still_open

BATCH = 500
LOCK_TIMEOUT = "1s"


def drain(*, clock: Callable[[], datetime], seconds: float) -> Drained:
    """Make what is due, batch by batch, until nothing is or the time is over; then a worker is rung again.

    Any number of workers may try at once: who finds another one's batch under way leaves the rest to that one.
    Raises what keeps the database away; all is left as it was then.
    """
    end, all_done = monotonic() + seconds, NOTHING
    batches.bury(clock())
    while done := drain_batch(now=clock()):
        all_done += done
        if monotonic() >= end:
            ring()
            break
    return all_done


def drain_batch(*, now: datetime, limit: int = BATCH) -> Drained:
    """Make the transfers that have been due for longest, if no other worker is at it. Raises as `drain` does."""
    with batches.batch(now=now, limit=limit) as ids:
        return _attempt(ids, now) if ids else NOTHING


def _attempt(ids: Sequence[UUID], now: datetime) -> Drained:
    """Make these. One that can't be made must not keep the others from it: they are halved to find it."""
    taken: list[UUID] = []
    try:
        return _make(ids, taken, now)
    except Exception as caught:
        if not taken or is_away(caught):
            raise
        error = caught
    if len(taken) == 1:
        return put_by(taken[0], error, now)
    halves = taken[: len(taken) // 2], taken[len(taken) // 2 :]
    first, second = (_attempt(half, now) for half in halves)
    return first + second


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
WHERE (SELECT pg_try_advisory_xact_lock(1, 1)) AND status = 'queued' AND id = ANY (%s::uuid[]) AND next_at <= %s
ORDER BY next_at, id FOR NO KEY UPDATE SKIP LOCKED
"""


@durable
def _make(ids: Sequence[UUID], taken: list[UUID], now: datetime) -> Drained:
    """Claim, decide, post and end in one transaction; `taken` is told who they are, also where it fails."""
    with sql.pipeline():
        sql.run("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
        waiting = [Waiting(*row) for row in sql.rows(CLAIM, (sql.uuids(ids), now))]
        taken[:] = [each.id for each in waiting]
        return _end(waiting, _post(waiting, now), now) if waiting else NOTHING


def _post(waiting: Sequence[Waiting], now: datetime) -> list[Refused | WalletRefused | None]:
    """Post them in order, each seeing what those before it did; a refusal for each that can't be."""
    wallets = reach((), {id for each in waiting for id in (each.source, each.destination)})
    routes = [each.route(wallets) for each in waiting]
    open_routes = [route for route in routes if isinstance(route, Route)]
    refusals = iter(post([route.posting() for route in open_routes], now=now).refusals if open_routes else ())
    return [next(refusals) if isinstance(route, Route) else route for route in routes]


COMPLETE = """
UPDATE wallets_transfer SET status = 'completed', transaction_id = id, next_at = NULL, trouble = ''
WHERE id = ANY (%s::uuid[])
"""
FAIL = """
UPDATE wallets_transfer t SET status = 'failed', failure = f.failure, next_at = NULL, trouble = ''
FROM unnest(%s::uuid[], %s::jsonb[]) AS f (id, failure) WHERE t.id = f.id
"""


def _end(waiting: Sequence[Waiting], refusals: Sequence[Refused | WalletRefused | None], now: datetime) -> Drained:
    made = [each for each, refusal in zip(waiting, refusals, strict=True) if refusal is None]
    failed = {each.id: problem(refusal) for each, refusal in zip(waiting, refusals, strict=True) if refusal is not None}
    if made:
        sql.run(COMPLETE, (sql.uuids(each.id for each in made),))
        check_still_open([(each.source, each.destination) for each in made])
        metrics.posted("transfer", len(made))
    if failed:
        documents = sql.texts(msgspec.json.encode(failure).decode() for failure in failed.values())
        sql.run(FAIL, (sql.uuids(failed), documents))
    audit.record_many([
        *(audit.Event(actor=WORKERS, action="transfer.made", kind="transfer", object_id=each.id, now=now)
          for each in made),
        *(audit.Event(actor=WORKERS, action="transfer.failed", kind="transfer", object_id=id, data=failure, now=now)
          for id, failure in failed.items()),
    ])  # fmt: skip
    for failure in failed.values():
        metrics.refused(str(failure["code"]))
    return Drained(completed=len(made), failed=len(failed))


def problem(refusal: Refused | WalletRefused) -> dict[str, object]:
    """What the client is told of it, but for the type that its code makes."""
    return {"title": refusal.title, "code": refusal.code, "detail": str(refusal), **refusal.data}
