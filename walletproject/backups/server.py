"""A restored server on a socket in a private folder, under none of the original's settings: nobody else reaches it."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from walletproject.backups.failures import BackupError
from walletproject.backups.programs import Programs
from walletproject.local.identity import Identity, plain_identity
from walletproject.local.installation import plain_environment
from walletproject.local.processes import Child

# On the command line, where they come before whatever the original had set.
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "ssl": "off",
    "shared_preload_libraries": "",
    # What was the original's archive must not hear of a copy, nor may clients before it is where it shall be.
    "archive_mode": "off",
    "hot_standby": "off",
    "autovacuum": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_destination": "stderr",
    "logging_collector": "off",
}
TRUSTING = "local all all trust\n"


@contextmanager
def running(
    data: Path, programs: Programs, recovery: Mapping[str, str], *, told: Callable[[str], object]
) -> Iterator[str]:
    """Recover as the settings say, and give the folder of its socket; it is stopped afterwards. Raises BackupError."""
    identity = plain_identity()
    if identity is Identity.NOBODY:
        raise BackupError("PostgreSQL refuses to run as root: run this as the user whose server it shall become.")
    with TemporaryDirectory(prefix="wallet-") as scratch:
        options = {**SETTINGS, **_files(Path(scratch)), **recovery}
        child = Child(
            name="restored",
            command=[
                programs.path("postgres"), "-D", str(data),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
            ],
            log=Path(scratch) / "log", environment=plain_environment(), stop_signal=signal.SIGINT, identity=identity,
            cwd=data,
        )  # fmt: skip
        child.start()
        try:
            _wait_until_recovered(child, data, told)
            yield scratch
        finally:
            child.ask_to_stop()
            if child.process:
                child.process.wait()


def _files(scratch: Path) -> dict[str, str]:
    """Configuration of its own: the original's may lie elsewhere, and names who may come in."""
    written = {"config_file": "", "hba_file": TRUSTING, "ident_file": ""}
    for name, text in written.items():
        (scratch / name).write_text(text)
    return {name: str(scratch / name) for name in written} | {"unix_socket_directories": str(scratch)}


def _wait_until_recovered(child: Child, data: Path, told: Callable[[str], object]) -> None:
    """However long it takes: a day's WAL is some minutes' work, and what it does is in its log."""
    while child.alive:
        if _status(data) == "ready":
            return
        told(child.last_words(1).removeprefix("LOG:").strip() or "recovering")
        time.sleep(0.05)
    raise BackupError(child.last_words(12))


def _status(data: Path) -> str:
    """What the server says of itself, as pg_ctl reads it; asking by a connection would fill its log with refusals."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()[7].strip()
    except (OSError, IndexError):
        return ""
