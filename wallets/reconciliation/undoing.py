"""Undoing matches: what they joined is open again, and that there was a match stays written down."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from users.callers import Actor, System
from wallets.models import BooksItem, Match, StatementLine

IMPORT = System("statements")


def undo(matches: Collection[UUID], *, by: Actor, because: str, by_hand: bool, now: datetime) -> None:
    """Undo matches, inside the caller's transaction, which has their account locked.

    `by_hand` says that a person did: then no rule matches any of it again, until a person does.
    """
    for model in (StatementLine, BooksItem):
        hand = {"by_hand": True} if by_hand else {}
        model.objects.filter(match__in=matches).update(match=None, **hand)
    Match.objects.filter(pk__in=matches).update(
        undone_at=now, undone_by=":".join(by.actor)[:60], undone_because=because[:255]
    )


def undo_unbooked(lines: Collection[UUID], *, now: datetime) -> None:
    """Undo the matches of lines of which a later statement says that they failed or came back."""
    changed = StatementLine.objects.filter(pk__in=lines, match__isnull=False).exclude(status="booked")
    if matches := set(changed.values_list("match_id", flat=True)):
        because = "A later statement says that the provider didn’t keep to it."
        undo(matches, by=IMPORT, because=because, by_hand=False, now=now)
