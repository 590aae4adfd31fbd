"""The one door through which a withdrawal changes its status, and the history that a person can read of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ledger.durable import TryAgain
from users import audit
from users.callers import Actor, System
from wallets import metrics
from wallets.models import Withdrawal, WithdrawalStep
from wallets.opening import InvalidState

PAYOUTS = System("payouts")
Status = Withdrawal.Status
UNDER_WAY = (Status.PENDING, Status.PROCESSING)

# Which status may follow which. What is returned is over.
NEXT: Mapping[str, frozenset[Status]] = {
    Status.AWAITING_APPROVAL: frozenset({Status.PENDING, Status.CANCELLED}),
    Status.PENDING: frozenset({Status.PROCESSING, Status.CANCELLED}),
    Status.PROCESSING: frozenset({Status.PENDING, Status.COMPLETED, Status.FAILED, Status.IN_REVIEW}),
    Status.IN_REVIEW: frozenset({Status.PROCESSING, Status.COMPLETED, Status.FAILED, Status.RETURNED}),
    Status.COMPLETED: frozenset({Status.RETURNED, Status.IN_REVIEW}),
    Status.FAILED: frozenset({Status.PENDING, Status.IN_REVIEW}),
    Status.CANCELLED: frozenset({Status.IN_REVIEW}),
    Status.RETURNED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Because:
    """Why something happens: who says so, in a person's words, about which attempt, and what the provider answered."""

    what: str
    actor: Actor = PAYOUTS
    attempt: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


def move(
    withdrawal: Withdrawal, to: Status, because: Because, *, now: datetime, action: str = "", **changes: Any
) -> None:
    """Give it another status and write that down, inside the caller's transaction, which has its row locked.

    Whoever doesn't say when a worker is due again says that none is. Raises InvalidState.
    """
    before = withdrawal.status
    if to not in NEXT[before]:
        raise InvalidState(f"The withdrawal is {words(before)}, and can't be {words(to)} from there.")
    changes = {"next_at": None, "busy_until": None, "heard": False} | changes
    moved = Withdrawal.objects.filter(pk=withdrawal.pk, status=before).update(status=to, updated_at=now, **changes)
    if not moved:
        raise TryAgain("The withdrawal changed just now.")
    withdrawal.status = to
    metrics.payout_became(withdrawal.provider, to)
    note(withdrawal, because, before=before, now=now)
    if to not in UNDER_WAY or because.actor is not PAYOUTS:
        data = {name: str(value) for name, value in changes.items() if name not in ("busy_until", "heard", "next_at")}
        audit.record(
            actor=because.actor, action=action or f"withdrawal.{to}", kind="withdrawal", object_id=withdrawal.pk,
            data=data | {"because": because.what}, now=now,
        )  # fmt: skip


def note(withdrawal: Withdrawal, because: Because, *, now: datetime, before: str | None = None) -> None:
    """Add a line to its history, inside the caller's transaction."""
    WithdrawalStep.objects.create(
        withdrawal=withdrawal, at=now, before=withdrawal.status if before is None else before, after=withdrawal.status,
        actor=":".join(because.actor.actor), attempt=because.attempt, what=because.what[:500], raw=dict(because.raw),
    )  # fmt: skip


def locked(withdrawal_id: Any) -> Withdrawal:
    """The withdrawal with its row locked, inside the caller's transaction. Raises DoesNotExist."""
    return (
        Withdrawal.objects.select_for_update(no_key=True, of=("self",)).select_related("wallet").get(pk=withdrawal_id)
    )


def words(status: str) -> str:
    """A status as a person says it."""
    return status.replace("_", " ")
