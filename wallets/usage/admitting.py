"""What a person does with an event in quarantine: lets it in, however old it is, or discards it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ledger.durable import durable
from users import audit
from users.callers import Actor
from users.validation import ValidationError
from wallets.access import NotFound
from wallets.models import QuarantinedEvent
from wallets.opening import InvalidState
from wallets.usage import unreadable
from wallets.usage.events import Event, Outcome
from wallets.usage.ingestion import take

State = QuarantinedEvent.State
KIND = "event"


@durable
def admit(id: UUID, *, by: Actor, reason: str, now: datetime) -> Outcome:
    """Take an event however old it is; returns what became of it. Where it isn't taken it stays in quarantine.

    Raises NotFound, ValidationError, and InvalidState where it has been decided or its id was used for another event.
    """
    found = _open(id, reason)
    if found.code == "event_reused":
        raise InvalidState("Its id stands for another event. Have its source report it under an id of its own.")
    if found.code in unreadable.CODES:
        raise InvalidState("It is no event. Have its sender repeat what it meant, and discard this.")
    (outcome,) = take([_event(found)], now=now, bounded=False)
    if outcome.status in ("accepted", "duplicate"):
        _decide(found, State.ADMITTED, by, reason, now, outcome=outcome.status)
    return outcome


@durable
def discard(id: UUID, *, by: Actor, reason: str, now: datetime) -> None:
    """Say that an event isn't to be taken. Raises NotFound, ValidationError and InvalidState."""
    _decide(_open(id, reason), State.DISCARDED, by, reason, now)


def _open(id: UUID, reason: str) -> QuarantinedEvent:
    if not reason.strip():
        raise ValidationError.on("reason", "required", "Say why.")
    found = QuarantinedEvent.objects.select_for_update(no_key=True).filter(pk=id).first()
    if found is None:
        raise NotFound("event in quarantine")
    if found.state != State.OPEN:
        raise InvalidState(f"It was {found.state} already.")
    return found


def _event(found: QuarantinedEvent) -> Event:
    return Event(
        found.source,
        found.event_id,
        found.wallet,
        found.meter,
        found.quantity,
        found.occurred_at,
        found.properties,
        found.sent_by,
    )


def _decide(
    found: QuarantinedEvent, state: QuarantinedEvent.State, by: Actor, reason: str, now: datetime, **more: Any
) -> None:
    changes = {"state": state, "decided_by": ":".join(by.actor)[:60], "decided_because": reason.strip()[:500]}
    QuarantinedEvent.objects.filter(pk=found.pk).update(**changes, decided_at=now)
    data = {"source": found.source, "event_id": found.event_id, "code": found.code, "reason": reason, **more}
    audit.record(actor=by, action=f"{KIND}.{state}", kind=KIND, object_id=found.pk, data=data, now=now)
