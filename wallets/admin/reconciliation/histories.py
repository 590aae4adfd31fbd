"""What happened to a break: when it was found, whose it was, what people wrote down, asked for and decided."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backoffice import cells
from backoffice.timeline import Happening, Timeline
from users.models import AuditEvent, User
from wallets.admin import words
from wallets.models import Break, Proposal
from wallets.reconciliation.worklist import RECONCILIATION

NEWEST = 200
RUN = ":".join(RECONCILIATION.actor)
ENDED = {
    "matched": "Matched", "merged": "Found to be part of another break", "note": "Accepted",
    "posting": "Resolved by a posting",
}  # fmt: skip
Status = Proposal.Status


def history(found: Break) -> Timeline:
    """Its notes and deeds, newest first."""
    told = sorted(_told(found), key=lambda happening: happening.at, reverse=True)
    callers = words.caller_links(str(happening.by) for happening in told)
    return Timeline("What happened", [replace(happening, by=callers[str(happening.by)]) for happening in told])


def _told(found: Break) -> Iterator[Happening]:
    yield Happening(found.opened_at, "Found by a reconciliation", RUN, _open())
    for note in found.notes.order_by("-id")[:NEWEST]:
        yield Happening(note.at, note.text, note.author, cells.label("Note", "info"))
    yield from _deeds(found)
    yield from _asked(found)
    if found.resolution in ("matched", "merged") and found.resolved_at:
        yield Happening(found.resolved_at, ENDED[found.resolution], found.resolved_by, _resolved())


def _deeds(found: Break) -> Iterator[Happening]:
    """Who had it, and how people have ended it: the audit trail knows."""
    deeds = ("break.assigned", "break.resolved")
    events = list(AuditEvent.objects.filter(object_kind="break", object_id=str(found.pk), action__in=deeds))
    owners = User.objects.in_bulk({event.data["owner"] for event in events if event.data.get("owner")})
    for event in events:
        by = f"{event.actor_kind}:{event.actor_id}"
        if event.action == "break.assigned":
            yield Happening(event.at, _assigned(event.data["owner"], owners), by)
        else:
            yield Happening(event.at, ENDED[event.data["how"]], by, _resolved(), event.data["reason"])


def _assigned(owner: str | None, owners: dict[Any, User]) -> str:
    named = {str(id): user.get_full_name() for id, user in owners.items()}
    return f"Assigned to {named.get(owner, 'somebody')}" if owner else "Given back to the list"


def _asked(found: Break) -> Iterator[Happening]:
    """The postings that were asked for, and those that came to nothing."""
    for proposal in Proposal.objects.filter(subject_kind="break", subject_id=str(found.pk)):
        asked = Happening(proposal.requested_at, f"Asked for: {proposal.says}", f"staff:{proposal.requested_by_id}")
        yield replace(asked, note=proposal.reason)
        if proposal.status in (Status.REJECTED, Status.WITHDRAWN) and proposal.decided_at:
            verb = "The posting was rejected" if proposal.status == Status.REJECTED else "The posting was taken back"
            by = f"staff:{proposal.decided_by_id}"
            yield Happening(proposal.decided_at, verb, by, note=proposal.decided_because)


def _open() -> str:
    return cells.label("Open", "warning")


def _resolved() -> str:
    return cells.label("Resolved", "success")
