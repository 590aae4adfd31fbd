"""Asking for a file."""

from datetime import datetime
from functools import partial

import msgspec
from django.db import transaction
from uuid_utils.compat import uuid7

from users import audit
from users.models import User
from users.permissions import require_permission
from users.validation import ValidationError
from wallets import bell
from wallets.documents.formats import TYPES
from wallets.models import Export
from wallets.reports.report import Parameters, Report


@transaction.atomic
def ask(report: Report, parameters: Parameters, format: str, *, actor: User, now: datetime) -> Export:
    """Have a worker make a report as a file. Raises PermissionDenied and ValidationError."""
    require_permission(actor, "wallets.run_report", "You may not run reports.")
    if format not in TYPES:
        raise ValidationError.on("format", "unknown", f"There is no {format}; there are {', '.join(TYPES)}.")
    report.check(parameters)
    export = Export.objects.create(
        id=uuid7(), report=report.slug, title=report.name(parameters), format=format,
        parameters=msgspec.to_builtins(parameters), requested_by=actor, requested_at=now, next_at=now,
    )  # fmt: skip
    audit.record(
        actor=actor, action="export.asked", kind="export", object_id=export.pk,
        data={"report": report.slug, "format": format, **export.parameters}, now=now,
    )  # fmt: skip
    transaction.on_commit(partial(bell.ring, "wallets.make_export", str(export.pk)))
    return export
