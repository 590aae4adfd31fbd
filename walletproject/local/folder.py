"""The data folder: its lock, its secrets, its logs, and the environment that other terminals read."""

import base64
import fcntl
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import IO

from walletproject.local.failures import CannotRun

LOG_LIMIT = 10 * 1024 * 1024


class Locked(CannotRun):
    """Another run holds the folder."""


class DataFolder:
    """A folder that belongs to one run at a time, mode 0700."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """Take the folder until this process ends, however it ends. Raises Locked."""
        handle = (self.path / "lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            handle.close()
            raise Locked(
                f"{self.path} is in use by another run (process {holder}). "
                "Stop that one, or set DATA_DIR and PORT to run a second beside it."
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._lock = handle

    def log(self, name: str) -> Path:
        """The log file of a process; one that has grown too long is put aside first."""
        path = self.path / "log" / f"{name}.log"
        path.parent.mkdir(exist_ok=True, mode=0o700)
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return path

    def emptied(self, name: str) -> Path:
        """A folder in it by name, with nothing left of an earlier run."""
        path = self.path / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        return path

    def kept(self, name: str) -> str:
        """A secret by name, generated once and kept."""
        return self._remembered().get(name) or self.remember(name, _GENERATORS.get(name, _password)())

    def remembered(self, name: str) -> str | None:
        """What was remembered under the name, if anything."""
        return self._remembered().get(name)

    def remember(self, name: str, value: str) -> str:
        """Keep a value for the next start."""
        write_private(self.path / "secrets.json", json.dumps(self._remembered() | {name: value}, indent=1))
        return value

    def publish(self, environment: dict[str, str]) -> None:
        """Write the file that settings.py reads, so that `manage.py` in another terminal reaches the same servers."""
        write_private(self.path / "environment", "".join(f"{key}='{value}'\n" for key, value in environment.items()))

    def _remembered(self) -> dict[str, str]:
        path = self.path / "secrets.json"
        return json.loads(path.read_text()) if path.exists() else {}


def first_free(base: Path) -> DataFolder:
    """The folder itself, or its first sibling (`test-2`, `test-3` …) that no other run holds. Raises Locked."""
    for number in range(1, 9):
        folder = DataFolder(base if number == 1 else base.with_name(f"{base.name}-{number}"))
        try:
            folder.lock()
        except Locked:
            continue
        return folder
    raise Locked(f"{base} and its siblings up to number 8 are all in use by other runs. Stop one of them.")


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner may read it."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    draft.replace(path)


def _password() -> str:
    return secrets.token_urlsafe(24)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


_GENERATORS = {"SECRET_KEY": lambda: secrets.token_urlsafe(48), "ENCRYPTION_KEYS": _fernet_key}
