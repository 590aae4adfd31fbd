"""The audit trail: who did what, written in the same transaction as the deed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.transaction import TransactionManagementError
from uuid_utils.compat import uuid7

from users.callers import Actor
from users.context import request_id

_INSERT = """
    INSERT INTO users_auditevent (id, at, actor_kind, actor_id, action, object_kind, object_id, request_id, data)
    SELECT e.id, e.at, e.actor_kind, e.actor_id, e.action, e.object_kind, e.object_id, %s, e.data::jsonb
    FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
         AS e (id, at, actor_kind, actor_id, action, object_kind, object_id, data)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One deed. `action` reads as noun and verb ("wallet.closed"), `data` holds what else a reader needs."""

    actor: Actor
    action: str
    kind: str
    object_id: UUID | str
    data: Mapping[str, Any] = field(default_factory=dict)
    now: datetime

    def row(self) -> tuple[UUID, datetime, str, str, str, str, str, str]:
        data = msgspec.json.encode(self.data).decode()
        return uuid7(), self.now, *self.actor.actor, self.action, self.kind, str(self.object_id), data


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
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [request_id.get(), *(list(column) for column in zip(*rows, strict=True))])
