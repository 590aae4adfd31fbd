"""Making a file: claimed like any other work, with progress that a person can watch; a worker too slow is refused."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import F

from wallets.documents import formats
from wallets.models import Export
from wallets.reports.registry import REPORTS
from wallets.reports.report import Parameters

logger = logging.getLogger(__name__)

# Who hasn't been heard of for so long is given up, and somebody else begins anew; so often at most.
LEASE = timedelta(minutes=2)
TRIES = 3
TELL_SECONDS = 2.0
Status = Export.Status


class GivenUp(Exception):
    """Another worker has the export now."""


def due(*, now: datetime) -> list[UUID]:
    """The exports that wait for a worker, longest waiting first."""
    return list(Export.objects.filter(next_at__lte=now).order_by("next_at").values_list("pk", flat=True)[:20])


def make(export_id: UUID, *, clock: Callable[[], datetime]) -> None:
    """Make one, if nobody else is at it."""
    export = _claim(export_id, clock())
    if export is None:
        return
    try:
        size = _write(export, clock)
    except GivenUp:
        return
    except Exception as error:
        logger.exception("The export %s failed.", export.pk)
        _end(export, Status.FAILED, clock(), detail=str(error)[:500])
        return
    _end(export, Status.DONE, clock(), size=size)


def place(export: Export) -> Path:
    """Where its file is."""
    return Path(settings.EXPORTS_DIR) / export.name


def _claim(export_id: UUID, now: datetime) -> Export | None:
    """Take it, where it is due; what has cost too many workers already fails."""
    mine = Export.objects.filter(pk=export_id, next_at__lte=now)
    if mine.filter(lease__gte=TRIES).update(
        status=Status.FAILED, next_at=None, finished_at=now, detail=f"{TRIES} workers began it and none ended it."
    ):
        return None
    if not mine.update(status=Status.RUNNING, lease=F("lease") + 1, next_at=now + LEASE, lines=0):
        return None
    return Export.objects.get(pk=export_id)


def _write(export: Export, clock: Callable[[], datetime]) -> int:
    """Write the file; returns its size. Raises GivenUp."""
    told = monotonic()

    def count() -> None:
        nonlocal told
        export.lines += 1
        if monotonic() - told > TELL_SECONDS:
            _tell(export, clock())
            told = monotonic()

    document = REPORTS[export.report].build(msgspec.convert(export.parameters, Parameters)).watched(count)
    target = place(export)
    target.parent.mkdir(parents=True, exist_ok=True)
    return formats.write(document, export.format, target, checked=lambda: _tell(export, clock()))


def _tell(export: Export, now: datetime) -> None:
    """Say how far it is, and that its worker lives. Raises GivenUp."""
    mine = Export.objects.filter(pk=export.pk, lease=export.lease, status=Status.RUNNING)
    if not mine.update(lines=export.lines, next_at=now + LEASE):
        raise GivenUp


def _end(export: Export, status: Status, now: datetime, **more: object) -> None:
    mine = Export.objects.filter(pk=export.pk, lease=export.lease, status=Status.RUNNING)
    mine.update(status=status, next_at=None, finished_at=now, lines=export.lines, **more)
