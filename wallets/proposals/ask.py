"""The first person: asks for a deed, with a reason."""

from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from uuid_utils.compat import uuid7

from users import audit
from users.models import User
from users.permissions import require_permission
from users.validation import ValidationError
from wallets.models import Proposal
from wallets.proposals.deed import Deed


@transaction.atomic
def ask(deed: Deed, *, actor: User, reason: str, now: datetime) -> Proposal:
    """Put a deed before those who may decide on it; nothing is done yet, and after a time it can't be any more.

    Raises PermissionDenied, ValidationError and the deed's own refusals.
    """
    require_permission(actor, f"wallets.ask_{deed.kind}", "You may not ask for this.")
    if not reason.strip():
        raise ValidationError.on("reason", "required", "Say why.")
    basis = dict(deed.basis())
    subject_kind, subject_id = deed.subject()
    proposal = Proposal.objects.create(
        id=uuid7(), kind=deed.kind, subject_kind=subject_kind, subject_id=subject_id, says=deed.says()[:500],
        content=msgspec.to_builtins(deed), basis=basis, reason=reason.strip()[:500], requested_by=actor,
        requested_at=now, expires_at=now + timedelta(hours=settings.PROPOSAL_HOURS),
    )  # fmt: skip
    audit.record(
        actor=actor, action="proposal.asked", kind="proposal", object_id=proposal.pk, now=now,
        data={"kind": deed.kind, subject_kind: subject_id, "says": proposal.says, "reason": proposal.reason},
    )  # fmt: skip
    return proposal
