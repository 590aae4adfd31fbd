"""A folder of backups: which are there, which to restore from, and which make room."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from walletproject.backups.failures import BackupError
from walletproject.backups.manifest import MANIFEST

# A backup is named by the moment it was whole: to that one and any later it can be restored.
NAME = "%Y%m%dT%H%M%SZ"
# What is being made, or removed: never to be restored from, and cleared by the next run.
DRAFT = "unfinished"
WAL = "wal"


class Kept(NamedTuple):
    """A backup that is whole."""

    moment: datetime
    path: Path


def kept(folder: Path) -> list[Kept]:
    """The whole backups of a folder, oldest first."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            found.append(Kept(datetime.strptime(path.name, NAME).replace(tzinfo=UTC), path))
        except ValueError:
            continue
    return sorted(found)


def chosen(path: Path, to: datetime | None) -> Path:
    """The backup at a path, or of the folder there the newest from before a moment. Raises BackupError."""
    if (path / MANIFEST).exists():
        return path.resolve()
    fitting = [backup for backup in kept(path) if to is None or backup.moment <= to]
    if not fitting:
        before = f" from before {to:%Y-%m-%d %H:%M:%S} UTC" if to else ""
        raise BackupError(f"There is no backup{before} in {path}.")
    return fitting[-1].path.resolve()


def too_many(folder: Path, keep: int, *, more: int = 0) -> list[Path]:
    """The oldest beyond so many, when `more` have been added; of those that are there the newest stays in any case."""
    found = kept(folder)
    return [backup.path for backup in found[: max(0, len(found) + more - max(keep, 1))]]


def remove(path: Path) -> None:
    """Take a backup away; where that is interrupted, what is left of it doesn't bear its name."""
    draft = path.with_name(DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    path.rename(draft)
    shutil.rmtree(draft)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder for one backup at a time. Raises BackupError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup into {folder} is under way.") from None
        yield
