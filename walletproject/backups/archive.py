"""The WAL between backups, followed as it is written: what makes any moment restorable."""

import os
from pathlib import Path
from typing import NoReturn

from walletproject.backups.keeping import WAL
from walletproject.backups.programs import Programs, find
from walletproject.backups.source import Source
from wallets.wal import SLOT


def prepare(source: Source, folder: Path, *, programs: str) -> Programs:
    """Have the server keep its WAL until it is archived, from now on. `programs` is PG_BIN. Raises BackupError."""
    found = find("pg_receivewal", source.look().major, given=programs)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / WAL).mkdir(exist_ok=True, mode=0o700)
    slot = (f"--slot={SLOT}", "--create-slot", "--if-not-exists")
    found.run("pg_receivewal", *slot, *source.arguments(), environment=source.environment())
    return found


def command(source: Source, folder: Path, programs: Programs) -> list[str]:
    """What follows the server, connects again when it was away, and goes on where it was after a stop."""
    where = (f"--directory={folder / WAL}", f"--slot={SLOT}", "--status-interval=1")
    return [programs.path("pg_receivewal"), *where, *source.arguments()]


def follow(source: Source, folder: Path, programs: Programs) -> NoReturn:
    """Become the program that does it: signals and exit codes are its own."""
    words = command(source, folder, programs)
    os.execve(words[0], words, source.environment())
