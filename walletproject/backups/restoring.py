"""Restoring a backup to a moment, in an empty folder, and proving the books that come out of it."""

import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.seals.sealing import Head
from ledger.verifications import Verification, prove
from ledger.verify import Finding
from walletproject.backups import keeping, manifest, server
from walletproject.backups.asking import asked, last_change, unreached
from walletproject.backups.failures import BackupError
from walletproject.backups.programs import find
from wallets import backups as record

# A manifest tells moments without their fractions.
SECOND = timedelta(seconds=1)
# Kept in the folder, for whoever starts it one day: until then the original's archive must not hear of it.
QUIET = "archive_mode = 'off'\n"
TOO_EARLY = "That moment is from before the backup was whole: choose an older backup."
REASONS = {
    "recovery ended before configured recovery target was reached": (
        "The WAL that is there doesn't reach beyond that moment. Name the folder with the rest of it (--wal); or, where"
        " nothing was written after it, leave --to out, and all that is there is restored."
    ),
    "requested recovery stop point is before consistent recovery point": TOO_EARLY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What shall be restored: which backup, to which moment (None: as far as the WAL goes), with which archived WAL.

    `kept` is a head of the seals that was kept elsewhere, `programs` is PG_BIN.
    """

    backup: Path
    to: datetime | None = None
    wal: Path | None = None
    kept: Head | None = None
    programs: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it: from which backup, when the last change in it was committed, and what the proof found.

    `unreached` is a file of the WAL that is archived, but that recovery didn't come to: one before it is missing.
    """

    backup: Path
    changed_at: datetime | None
    proof: Verification
    unreached: str = ""

    @property
    def good(self) -> bool:
        """Whether all is there that shall be, and the books are clean."""
        return not self.proof.broken and not self.unreached


@dataclass(frozen=True, slots=True)
class Watch:
    """Who wants to hear how far it is, and each finding of the proof as it is made."""

    told: Callable[[str], object] = lambda what: None
    found: Callable[[Finding], object] = lambda finding: None


def restore(wish: Wish, target: Path, *, clock: Callable[[], datetime], watch: Watch = Watch()) -> Restored:
    """Restore into an empty folder, recover, prove, and leave it stopped. Raises BackupError, and leaves it empty then.

    The running server isn't touched, nor asked.
    """
    backup = keeping.chosen(wish.backup, wish.to)
    archive = _archive(wish.wal or backup.parent)
    if wish.to and wish.to < manifest.read(backup).begun_at + SECOND:
        # PostgreSQL itself wouldn't notice where nothing was committed while the backup was taken.
        raise BackupError(TOO_EARLY)
    recovery = _recovery(wish.to, archive)
    with _filled(target):
        _unpack(backup, target, watch.told)
        programs = find("postgres", int((target / "PG_VERSION").read_text()), given=wish.programs)
        try:
            with server.running(target, programs, recovery, told=watch.told) as host, asked(host):
                missed = "" if wish.to else unreached(archive)
                return Restored(backup, last_change(), _proof(wish.kept, clock, watch), missed)
        except BackupError as failure:
            raise BackupError(_reason(str(failure))) from failure


def rehearse(wish: Wish, *, clock: Callable[[], datetime], watch: Watch = Watch()) -> Restored:
    """Restore into a folder that is thrown away afterwards, and record that it went well. Raises BackupError."""
    with TemporaryDirectory(prefix="wallet-rehearsal-") as folder:
        made = restore(wish, Path(folder), clock=clock, watch=watch)
    if made.good:
        record.rehearsed(made.backup, now=clock())
    return made


@contextmanager
def _filled(target: Path) -> Iterator[None]:
    """An empty folder to fill, which is empty again where that fails. Raises BackupError where it isn't empty."""
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise BackupError(f"{target} isn't empty, and nothing is ever overwritten: name a new folder.")
    target.chmod(0o700)
    try:
        yield
    except (BackupError, OSError, KeyboardInterrupt):
        for path in target.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def _unpack(backup: Path, target: Path, told: Callable[[str], object]) -> None:
    told(f"reading {backup}")
    size = manifest.check(backup).size
    if size > (free := shutil.disk_usage(target).free):
        raise BackupError(f"{target} has room for {free:,} bytes; the backup comes to {size:,}.")
    told(f"unpacking {size:,} bytes")
    for name, folder in ((manifest.FILES, target), (manifest.WAL, target / "pg_wal")):
        with manifest.opened(backup / name) as archive:
            archive.extractall(folder, filter="data")
    (target / "standby.signal").unlink(missing_ok=True)
    (target / "recovery.signal").touch()
    with (target / "postgresql.auto.conf").open("a") as settings:
        settings.write(QUIET)


def _archive(folder: Path) -> Path:
    """Where the archived WAL is: in the folder that archive_wal was told, or in this one itself."""
    below = folder / keeping.WAL
    return (below if below.is_dir() else folder).resolve()


def _recovery(to: datetime | None, archive: Path) -> Mapping[str, str]:
    """The settings that lead there. The file still being archived serves where the backup has no whole one."""
    until = {"recovery_target_time": f"{to.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f+00}"} if to else {}
    archived = shlex.quote(str(archive).replace("%", "%%"))
    fetch = f'cp {archived}/%f "%p" || {{ test ! -e pg_wal/%f && cp {archived}/%f.partial "%p"; }}'
    return until | {"recovery_target_action": "promote", "restore_command": f"{{ {fetch}; }} 2>/dev/null"}


def _proof(kept: Head | None, clock: Callable[[], datetime], watch: Watch) -> Verification:
    """Without a record of it: the copy shall be what it was."""
    return prove(
        clock=clock, kept=kept, told=watch.found, day=lambda day: watch.told(f"the seal of {day}"), recorded=False
    )


def _reason(log: str) -> str:
    for said, means in REASONS.items():
        if said in log:
            return f"{means}\n{log}"
    return f"The restored server stopped:\n{log}"
