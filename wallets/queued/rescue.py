"""What a person may do with a transfer that was set aside: let it be tried again, or give it up.

Its client has not been told that it failed, or they might have sent another in its place: only giving up says so.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from ledger.durable import durable
from users import audit
from users.callers import Actor
from wallets.models import Transfer
from wallets.opening import InvalidState
from wallets.queued.accept import ring

GIVEN_UP: dict[str, Any] = {
    "title": "Internal error", "code": "internal_error", "detail": "It couldn't be made, for a reason on our side.",
}  # fmt: skip
Status = Transfer.Status


@durable
def try_again(id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """Queue it again, behind those that wait. Raises InvalidState."""
    _end_setting_aside(id, status=Status.QUEUED, next_at=now, tries=0, deaths=0)
    transaction.on_commit(ring)
    _note("transfer.tried_again", id, actor, reason, now)


@durable
def give_up(id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """Let it have failed, which its client is told. Raises InvalidState."""
    _end_setting_aside(id, status=Status.FAILED, failure=GIVEN_UP)
    _note("transfer.given_up", id, actor, reason, now)


def _end_setting_aside(id: UUID, **changes: Any) -> None:
    if not Transfer.objects.filter(pk=id, status=Status.SET_ASIDE).update(**changes):
        raise InvalidState("The transfer isn't set aside, or no longer; look at it anew.")


def _note(action: str, id: UUID, actor: Actor, reason: str, now: datetime) -> None:
    audit.record(actor=actor, action=action, kind="transfer", object_id=id, data={"reason": reason}, now=now)
