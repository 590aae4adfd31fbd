"""The record of backups: when each was begun, what became of it, and when it was last restored, as a rehearsal."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Max

from wallets.models import Backup

# A nightly backup may take two hours longer than the one before; a weekly rehearsal a day.
STALE = timedelta(hours=26)
REHEARSAL_STALE = timedelta(days=8)


def begin(folder: Path, *, version: str, now: datetime) -> Backup:
    """A backup into a folder begins; if it is never heard of again, this much is known."""
    return Backup.objects.create(started_at=now, folder=str(folder), server_version=version)


def succeed(backup: Backup, path: Path, *, size: int, wal_position: str, now: datetime) -> Backup:
    """It is whole and verified, and lies at `path`. Its size is in bytes."""
    backup.folder, backup.size, backup.wal_position = str(path), size, wal_position
    backup.verified, backup.ended_at = True, now
    backup.save(update_fields=["folder", "size", "wal_position", "verified", "ended_at"])
    return backup


def fail(backup: Backup, trouble: str, *, now: datetime) -> None:
    """It came to nothing, for a reason in words."""
    backup.trouble, backup.ended_at = trouble[:1000], now
    backup.save(update_fields=["trouble", "ended_at"])


def removed(paths: Iterable[Path], *, now: datetime) -> None:
    """Backups made room for newer ones."""
    Backup.objects.filter(folder__in=[str(path) for path in paths], verified=True).update(removed_at=now)


def rehearsed(path: Path, *, now: datetime) -> bool:
    """A backup was restored, and its books found clean. False where there is no record of it to say so in."""
    return Backup.objects.filter(folder=str(path), verified=True).update(rehearsed_at=now) > 0


def last_backup() -> Backup | None:
    """The newest that is there and verified."""
    return Backup.objects.filter(verified=True, removed_at=None).order_by("-started_at").first()


def last_rehearsal() -> datetime | None:
    """When any of them was last restored."""
    last: datetime | None = Backup.objects.aggregate(last=Max("rehearsed_at"))["last"]
    return last
