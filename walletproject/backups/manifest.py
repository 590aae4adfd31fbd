"""A backup as files: what its manifest says to be in it, and whether that is what is there.

pg_verifybackup reads compressed backups from PostgreSQL 18 on only, and the embedded one not at all; the manifest's
form is documented, the same in all versions, and its SHA-256 are quickly made.
"""

import gzip
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple, cast

from walletproject.backups.failures import BackupError

MANIFEST, FILES, WAL = "backup_manifest", "base.tar.gz", "pg_wal.tar.gz"
# Written when it was begun.
LABEL = "backup_label"
LAST_LINE = b'"Manifest-Checksum"'
CHUNK = 1 << 20


class Manifest(NamedTuple):
    """What a backup says to be: each file with its size and SHA-256, when it was begun, and where its WAL ends."""

    files: dict[str, tuple[int, str]]
    begun_at: datetime
    wal_position: str

    @property
    def size(self) -> int:
        """What it comes to when it is unpacked, in bytes, without the WAL."""
        return sum(size for size, _ in self.files.values())


def read(backup: Path) -> Manifest:
    """The manifest of a backup. Raises BackupError where there is none, or it was changed."""
    try:
        text = (backup / MANIFEST).read_bytes()
        said = json.loads(text)
        if sha256(text[: text.rindex(LAST_LINE)]).hexdigest() != said["Manifest-Checksum"]:
            raise BackupError(f"The manifest of {backup} was changed: restore another backup.")
        files = {_path(file): (file["Size"], file["Checksum"]) for file in said["Files"]}
        begun = next(file["Last-Modified"] for file in said["Files"] if _path(file) == LABEL)
        begun_at = datetime.strptime(begun, "%Y-%m-%d %H:%M:%S GMT").replace(tzinfo=UTC)
        wal_position = said["WAL-Ranges"][-1]["End-LSN"]
    except (OSError, ValueError, KeyError, IndexError, StopIteration) as error:
        raise BackupError(
            f"{backup} is no backup, or a damaged one: its {MANIFEST} can't be read ({error})."
        ) from error
    return Manifest(files, begun_at, wal_position)


def check(backup: Path, told: Callable[[int, int], object] = lambda done, whole: None) -> Manifest:
    """Read every file of a backup and hold it against the manifest. Raises BackupError.

    Of how many bytes are read, of how many, is `told` after each file.
    """
    manifest, done = read(backup), 0
    missing = dict(manifest.files)
    with opened(backup / FILES) as archive:
        for name, content in _files(archive):
            size, digest = missing.pop(name, (0, ""))
            if digest and file_digest(content, "sha256").hexdigest() != digest:
                raise BackupError(f"{backup} is damaged: {name} isn't what the manifest says. Restore another backup.")
            done += size
            told(done, manifest.size)
    if missing:
        raise BackupError(f"{backup} is damaged: {len(missing)} files are missing, such as {min(missing)}.")
    # The WAL has no line in the manifest; gzip's own checksum tells.
    with _told_of(backup / WAL), gzip.open(backup / WAL) as wal:
        while wal.read(CHUNK):
            pass
    return manifest


def first_segment(backup: Path) -> str:
    """The oldest file of the WAL that a backup needs. Raises BackupError."""
    with opened(backup / FILES) as archive:
        for name, content in _files(archive):
            if name == LABEL and (found := re.search(rb"\(file ([0-9A-F]{24})\)", content.read())):
                return found[1].decode()
    raise BackupError(f"{backup} is damaged: it has no backup_label.")


@contextmanager
def opened(path: Path) -> Iterator[tarfile.TarFile]:
    """An archive, to be read from its beginning to its end. Raises BackupError where that can't be done."""
    with _told_of(path), tarfile.open(path, "r:gz") as archive:
        yield archive


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
        raise BackupError(f"{path} is damaged ({error}). Restore another backup.") from error


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, BufferedReader]]:
    for member in archive:
        if member.isfile():
            yield member.name, cast(BufferedReader, archive.extractfile(member))


def _path(file: dict[str, Any]) -> str:
    return file["Path"] if "Path" in file else bytes.fromhex(file["Encoded-Path"]).decode(errors="surrogateescape")
