"""Taking a backup: copied, read again, named, and only then do older ones make room."""

import re
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from walletproject.backups import keeping
from walletproject.backups.failures import BackupError
from walletproject.backups.manifest import check, first_segment
from walletproject.backups.programs import Programs, find
from walletproject.backups.source import Look, Source
from walletproject.local.processes import bound_to_parent
from wallets import backups as record
from wallets.models import Backup

PROGRESS = re.compile(r"(\d+)/(\d+) kB \(\d+%\)")
# One level is five times as quick as the usual six, and the files a tenth larger.
OPTIONS = (
    "--format=tar", "--compress=client-gzip:1", "--wal-method=stream", "--checkpoint=fast",
    "--manifest-checksums=sha256", "--progress", "--label=walletproject",
)  # fmt: skip
Told = Callable[[str], object]


class Plan(NamedTuple):
    """What a backup would do: of which server, with which programs, and which older ones would make room."""

    look: Look
    programs: Programs
    leaving: list[Path]


def plan(source: Source, folder: Path, *, keep: int, programs: str) -> Plan:
    """Look whether a backup can be taken. `programs` is PG_BIN. Raises BackupError."""
    look = source.look()
    return Plan(look, find("pg_basebackup", look.major, given=programs), keeping.too_many(folder, keep, more=1))


def take(
    source: Source, folder: Path, *, keep: int, programs: str, clock: Callable[[], datetime], told: Told
) -> Backup:
    """Take a backup into a folder, verify it, and let the oldest beyond `keep` go. Raises BackupError.

    `told` is called two hundred times, evenly: as it is copied, and as it is read again.
    """
    folder = folder.resolve()
    planned = plan(source, folder, keep=keep, programs=programs)
    with keeping.held(folder):
        row = record.begin(folder, version=planned.look.version, now=clock())
        try:
            row = _take(row, source, folder, planned.programs, clock, told)
        except BackupError as failure:
            record.fail(row, str(failure), now=clock())
            raise
        leaving = keeping.too_many(folder, keep)
        for path in leaving:
            keeping.remove(path)
        record.removed(leaving, now=clock())
        _forget_wal(folder, planned.programs)
    return row


def _take(
    row: Backup, source: Source, folder: Path, programs: Programs, clock: Callable[[], datetime], told: Told
) -> Backup:
    draft = folder / keeping.DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _copy(source, draft, programs, Hundredths("copying", told))
        manifest = check(draft, Hundredths("reading it again", told))
        now = clock()
        path = draft.rename(folder / f"{now:{keeping.NAME}}")
    except OSError as error:
        raise BackupError(f"{folder} can't be written to: {error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    size = sum(file.stat().st_size for file in path.iterdir())
    return record.succeed(row, path, size=size, wal_position=manifest.wal_position, now=now)


def _copy(source: Source, draft: Path, programs: Programs, told: Callable[[int, int], object]) -> None:
    command = [programs.path("pg_basebackup"), f"--pgdata={draft}", *OPTIONS, *source.arguments()]
    said: deque[str] = deque(maxlen=10)
    with subprocess.Popen(
        command, env=source.environment(), stderr=subprocess.PIPE, text=True,
        preexec_fn=bound_to_parent(signal.SIGTERM),
    ) as process:  # fmt: skip
        for line in process.stderr or ():
            if found := PROGRESS.search(line):
                told(int(found[1]), int(found[2]))
            else:
                said.append(line)
    if process.returncode != 0:
        raise BackupError(f"pg_basebackup failed ({process.returncode}): {''.join(said).strip()}")


def _forget_wal(folder: Path, programs: Programs) -> None:
    """Of the WAL that is archived beside them, drop what is older than the oldest backup."""
    if (folder / keeping.WAL).is_dir():
        oldest = keeping.kept(folder)[0].path
        programs.run("pg_archivecleanup", str(folder / keeping.WAL), first_segment(oldest))


class Hundredths:
    """Tells of a hundred steps, whatever the whole comes to."""

    def __init__(self, what: str, told: Told) -> None:
        self.what, self.told, self.reached = what, told, 0

    def __call__(self, done: int, whole: int) -> None:
        """So much of the whole is done."""
        percent = min(100, 100 * done // max(whole, 1))
        for _ in range(self.reached, percent):
            self.told(self.what)
        self.reached = max(self.reached, percent)
