"""What PostgreSQL wrote down about its process, and whether that is still true."""

import os
import signal
import time
from pathlib import Path


def forget_stale_pid(path: Path, *, seconds: float = 15.0) -> None:
    """Wait for a server that a killed run left shutting down; drop the file where its process isn't a PostgreSQL.

    PostgreSQL itself clears the file of a process that is gone, but respects a zombie, and a stranger with its number.
    """
    deadline = time.monotonic() + seconds
    while (pid := _recorded_pid(path)) and _is_postgres(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGQUIT)
            deadline += seconds
        time.sleep(0.05)
    if pid and Path(f"/proc/{pid}").exists():
        path.unlink(missing_ok=True)


def _recorded_pid(path: Path) -> int | None:
    try:
        return int(path.read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _is_postgres(pid: int) -> bool:
    """A running process called postgres; a zombie has the name but doesn't run."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    except OSError:
        return False
    return name == "postgres" and rest.split()[0] not in "ZX"
