"""The audit trail: who did what, written in the same transaction as the deed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import connection
from django.db.transaction import TransactionManagementError
from msgspec import Struct, field
from uuid_utils.compat import uuid7

from users.callers import Actor
from users.context import request_id

# One document for all rows: quicker to bind than as many arrays or VALUES.
_INSERT = """
    INSERT INTO users_auditevent
        (id, at, actor_kind, actor_id, action, object_kind, object_id, data, request_id)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS e (
        id uuid, at timestamptz, actor_kind text, actor_id text, action text, object_kind text, object_id text,
        data jsonb, request_id text)
"""


class Event(Struct, frozen=True, kw_only=True):
    """One deed. `action` reads as noun and verb ("wallet.closed"), `data` holds what else a reader needs."""

    actor: Actor
    action: str
    kind: str
    object_id: UUID | str
    data: Mapping[str, Any] = field(default_factory=dict)
    now: datetime
    # The request that it was done for: this thread's, unless it is done for others as well.
    request_id: str = field(default_factory=request_id.get)

    def row(self) -> dict[str, Any]:
        """The event by the names of its columns."""
        actor_kind, actor_id = self.actor.actor
        return {
            "id": uuid7(), "at": self.now, "actor_kind": actor_kind, "actor_id": actor_id, "action": self.action,
            "object_kind": self.kind, "object_id": str(self.object_id), "data": self.data,
            "request_id": self.request_id,
        }  # fmt: skip


def record(
    *, actor: Actor, action: str, kind: str, object_id: UUID | str, data: Mapping[str, Any] | None = None, now: datetime
) -> None:
    """Write one deed down. Raises TransactionManagementError outside a transaction."""
    record_many([Event(actor=actor, action=action, kind=kind, object_id=object_id, data=data or {}, now=now)])


def record_many(events: Iterable[Event]) -> None:
    """Write many deeds down with one INSERT. Raises TransactionManagementError outside a transaction."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("The audit trail is written in the transaction of the deed; open one first.")
    rows = [event.row() for event in events]
    if rows:
        # Past Django's client-side binding: the plan is made once for a connection.
        with connection.wrap_database_errors:
            psycopg.Cursor(connection.connection).execute(_INSERT, [msgspec.json.encode(rows).decode()], prepare=True)
