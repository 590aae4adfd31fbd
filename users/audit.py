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

_COLUMNS = "(id, at, actor_kind, actor_id, action, object_kind, object_id, data, request_id)"
_INSERT_ONE = f"INSERT INTO users_auditevent {_COLUMNS} VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
# Arrays are a third of the cost of as many VALUES, and twice that of a single one.
_INSERT_MANY = f"""
    INSERT INTO users_auditevent {_COLUMNS}
    SELECT e.id, e.at, e.actor_kind, e.actor_id, e.action, e.object_kind, e.object_id, e.data::jsonb, e.request_id
    FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::text[]) AS e (id, at, actor_kind, actor_id, action, object_kind, object_id, data, request_id)
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
    # The request that it was done for: this thread's, unless it is done for others as well.
    request_id: str = field(default_factory=request_id.get)

    def row(self) -> tuple[UUID, datetime, str, str, str, str, str, str, str]:
        data = msgspec.json.encode(self.data).decode()
        return (
            uuid7(), self.now, *self.actor.actor, self.action, self.kind, str(self.object_id), data, self.request_id,
        )  # fmt: skip


def record(
    *, actor: Actor, action: str, kind: str, object_id: UUID | str, data: Mapping[str, Any] | None = None, now: datetime
) -> None:
    """Write one deed down. Raises TransactionManagementError outside a transaction."""
    event = Event(actor=actor, action=action, kind=kind, object_id=object_id, data=data or {}, now=now)
    _insert(_INSERT_ONE, [*event.row()])


def record_many(events: Iterable[Event]) -> None:
    """Write many deeds down with one INSERT. Raises TransactionManagementError outside a transaction."""
    rows = [event.row() for event in events]
    if rows:
        _insert(_INSERT_MANY, [list(column) for column in zip(*rows, strict=True)])


def _insert(statement: str, values: list[Any]) -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError("The audit trail is written in the transaction of the deed; open one first.")
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
