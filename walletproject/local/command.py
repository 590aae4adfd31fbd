"""`exec`: one command with servers of its own around it."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from walletproject.local.folder import first_free
from walletproject.local.processes import bound_to_parent
from walletproject.local.servers import running

STOP_SECONDS = 10.0


def execute(command: Sequence[str], *, data: Path, fast: bool) -> int:
    """Run the command with both servers started for it below `data`; returns its exit code. Raises CannotRun.

    A folder in use by another run is not waited for: its next free sibling serves as well.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with running(first_free(data), durable=not fast) as environment:
        return _run(command, environment)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    # The terminal sends a Ctrl-C to the command too; we only wait for what it makes of it.
    signal.signal(signal.SIGINT, lambda *_: None)
    process = subprocess.Popen(command, env=dict(environment), preexec_fn=bound_to_parent(signal.SIGTERM))
    try:
        code = process.wait()
    except SystemExit:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    return code if code >= 0 else 128 - code
