"""Rows of settings that staff write, stored and taken away with their trail."""

from datetime import datetime

from django.db import transaction
from django.db.models import Model

from users import audit
from users.callers import Actor


@transaction.atomic
def keep(row: Model, *, actor: Actor, now: datetime) -> None:
    """Store a row, new or changed, with its trail."""
    verb = "added" if row._state.adding else "changed"
    row.save()
    _trail(row, verb, actor, now)


@transaction.atomic
def drop(row: Model, *, actor: Actor, now: datetime) -> None:
    """Take a row away, with its trail."""
    _trail(row, "removed", actor, now)
    row.delete()


def _trail(row: Model, verb: str, actor: Actor, now: datetime) -> None:
    kind = str(row._meta.verbose_name).replace(" ", "_")
    data = {field.name: getattr(row, field.name) for field in row._meta.concrete_fields if field.name != "id"}
    audit.record(actor=actor, action=f"{kind}.{verb}", kind=kind, object_id=row.pk, data=data, now=now)
