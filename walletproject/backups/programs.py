"""PostgreSQL's own programs, of the server's major version: others may read its files differently."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from walletproject.backups.failures import BackupError
from walletproject.local.installation import packaged, plain_environment


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with them."""

    folder: Path

    def path(self, name: str) -> str:
        """Where one of them is. Raises BackupError."""
        path = self.folder / name
        if not path.exists():
            raise BackupError(f"{path} isn't there: install it, or set PG_BIN to a folder that has all of them.")
        return str(path)

    def run(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Run one to its end. Raises BackupError with what it said."""
        done = subprocess.run(
            [self.path(name), *arguments], env=environment or plain_environment(), capture_output=True, text=True
        )
        if done.returncode != 0:
            raise BackupError(f"{name} failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")


def find(program: str, major: int, *, given: str) -> Programs:
    """The programs of a major version: in `given`, which is PG_BIN, or else where they usually are. Raises BackupError.

    `program` is the one that will be needed: a machine without a server may have only some of them.
    """
    seen = {folder: _major(folder / program) for folder in _places(major, given)}
    for folder, version in seen.items():
        if version == major:
            return Programs(folder)
    told = ", ".join(f"{version} in {folder}" for folder, version in seen.items() if version) or "none"
    raise BackupError(
        f"PostgreSQL {major} has to be saved and restored with the programs of PostgreSQL {major}; of {program} there"
        f" is {told}. Install postgresql-{major}, or set PG_BIN to the folder that has it."
    )


def _places(major: int, given: str) -> Iterator[Path]:
    """Where to look: the one place that was given, or Debian's, the PATH, and the embedded server's wheel."""
    if given:
        yield Path(given)
        return
    yield Path(f"/usr/lib/postgresql/{major}/bin")
    yield from map(Path, filter(None, os.environ.get("PATH", "").split(os.pathsep)))
    yield from (install / "bin" for install in packaged())


def _major(program: Path) -> int | None:
    """The major version that a program says it is; None where there is none, or it doesn't run."""
    if not program.is_file():
        return None
    said = subprocess.run([program, "--version"], env=plain_environment(), capture_output=True, text=True).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(found[1]) if found else None
