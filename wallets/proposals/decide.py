"""The second person: approves what was asked for, or rejects it; the first may take it back.

An approval is given for a content: its digest, as the person saw it, comes with the approval.
"""

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec

from ledger import sql
from ledger.durable import durable
from users import audit
from users.models import User
from users.permissions import PermissionDenied, require_permission
from users.validation import ValidationError
from wallets.access import NotFound
from wallets.models import Proposal
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two
from wallets.proposals.registry import DEEDS

Status = Proposal.Status


def digest(proposal: Proposal) -> str:
    """What an approval is bound to: the deed and the state it rests on, in 64 hexadecimal digits."""
    parts = (proposal.kind, proposal.subject_kind, proposal.subject_id, proposal.content, proposal.basis)
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def deed_of(proposal: Proposal) -> Deed:
    """The deed that was asked for."""
    return msgspec.convert(proposal.content, DEEDS[proposal.kind])


def is_open(proposal: Proposal, now: datetime) -> bool:
    """Whether it can still be decided."""
    return proposal.status == Status.OPEN and now < proposal.expires_at


@durable
def approve(proposal_id: UUID, *, actor: User, seen: str, reason: str, now: datetime) -> None:
    """Let it be done, and do it. `seen` is the digest of what the person saw.

    Raises NotFound, PermissionDenied for whoever asked, InvalidState for what is decided, expired, or rests on what
    has changed since, and the deed's own refusals; then it stays open.
    """
    proposal = _locked(proposal_id, actor, now)
    if seen != digest(proposal):
        raise InvalidState("This isn't what you were shown; look at it again.")
    deed = deed_of(proposal)
    if dict(deed.basis()) != proposal.basis:
        raise InvalidState("What it rests on has changed since it was asked for; reject it, and let it be asked anew.")
    two = Two(proposal.requested_by, actor, proposal.reason)
    done = deed.do(two, proposal=proposal.pk, now=now)
    _close(proposal, Status.APPROVED, actor, reason, now, done)


@durable
def reject(proposal_id: UUID, *, actor: User, reason: str, now: datetime) -> None:
    """Don't let it be done. Raises as `approve` does, and ValidationError without a reason."""
    if not reason.strip():
        raise ValidationError.on("reason", "required", "Say why it is rejected.")
    _close(_locked(proposal_id, actor, now), Status.REJECTED, actor, reason, now)


@durable
def withdraw(proposal_id: UUID, *, actor: User, reason: str, now: datetime) -> None:
    """Take back what one asked for oneself. Raises NotFound, PermissionDenied and InvalidState."""
    proposal = _find(proposal_id)
    if proposal.requested_by_id != actor.pk:
        raise PermissionDenied("Somebody else asked for this; only they can take it back.")
    _check_open(proposal, now)
    _close(proposal, Status.WITHDRAWN, actor, reason, now)


def _locked(proposal_id: UUID, actor: User, now: datetime) -> Proposal:
    """The proposal, where this person may decide on it now; others about the same thing wait."""
    proposal = _find(proposal_id)
    require_permission(actor, f"wallets.decide_{proposal.kind}", "You may not decide on this.")
    if proposal.requested_by_id == actor.pk:
        raise PermissionDenied("You asked for this; somebody else must decide.")
    _check_open(proposal, now)
    sql.run(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{proposal.subject_kind}:{proposal.subject_id}",)
    )
    return proposal


def _find(proposal_id: UUID) -> Proposal:
    found = Proposal.objects.select_for_update(no_key=True, of=("self",)).select_related("requested_by")
    proposal = found.filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound("proposal")
    return proposal


def _check_open(proposal: Proposal, now: datetime) -> None:
    if proposal.status != Status.OPEN:
        raise InvalidState(f"It was {proposal.get_status_display().lower()} before.")
    if not is_open(proposal, now):
        raise InvalidState("It has expired; let it be asked for anew.")


def _close(proposal: Proposal, status: str, actor: User, reason: str, now: datetime, done: UUID | None = None) -> None:
    Proposal.objects.filter(pk=proposal.pk).update(
        status=status, decided_by=actor, decided_at=now, decided_because=reason.strip()[:500], transaction_id=done
    )
    audit.record(
        actor=actor, action=f"proposal.{status}", kind="proposal", object_id=proposal.pk, now=now,
        data={
            "kind": proposal.kind, proposal.subject_kind: proposal.subject_id, "says": proposal.says,
            "asked_by": str(proposal.requested_by_id), "reason": reason,
        },
    )  # fmt: skip
