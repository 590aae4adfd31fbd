"""Letting go of files that were kept for long enough."""

from datetime import datetime, timedelta

from django.conf import settings

from wallets.exports.make import place
from wallets.models import Export


def forget(*, now: datetime) -> int:
    """Delete the files of exports that are older than `EXPORT_DAYS`; returns how many. Their rows stay."""
    old = Export.objects.filter(status=Export.Status.DONE, finished_at__lt=now - timedelta(days=settings.EXPORT_DAYS))
    count = 0
    for export in old.order_by("finished_at")[:1_000]:
        place(export).unlink(missing_ok=True)
        count += Export.objects.filter(pk=export.pk, status=Export.Status.DONE).update(status=Export.Status.EXPIRED)
    return count
