"""What runs beside the servers: web, worker and beat, and the commands before them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from walletproject.local.failures import CannotRun
from walletproject.local.folder import DataFolder
from walletproject.local.processes import MARK, Child, bound_to_parent

# A second worker to talk to would only cost time.
ALONE = ("--without-gossip", "--without-mingle")
ROOT = Path(__file__).resolve().parent.parent.parent
BACKLOG = 2048
BLOCKING_THREADS = 8
# A little less than what the supervisor grants, so that granian itself reports the request that didn't end.
WORKER_KILL_SECONDS = 10


class Interrupted(Exception):
    """Somebody asked us to stop before everything ran."""


def finish(
    arguments: Sequence[str], environment: Mapping[str, str], *, mark: str, stop_requested: Callable[[], bool]
) -> str:
    """Run a management command to its end and return what it printed. Raises CannotRun, Interrupted."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=dict(environment) | {MARK: mark},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=bound_to_parent(signal.SIGTERM),
    )
    while True:
        try:
            printed, errors = process.communicate(timeout=0.1)
            break
        except subprocess.TimeoutExpired:
            if stop_requested():
                process.terminate()
                process.communicate()
                raise Interrupted from None
    if process.returncode != 0:
        raise CannotRun(f"`manage.py {' '.join(arguments)}` failed ({process.returncode}):\n{errors or printed}")
    return printed


def long_running(folder: DataFolder, environment: Mapping[str, str], *, host: str, port: int) -> list[Child]:
    """Web, worker and beat, not started yet."""
    # What each of them counts, /metrics tells; a run starts from nothing.
    common = dict(environment) | {MARK: str(folder.path), "PROMETHEUS_MULTIPROC_DIR": str(folder.emptied("metrics"))}
    web = common | {"DATABASE_POOL": common.get("DATABASE_POOL", "true")}

    def child(name: str, command: list[str], variables: Mapping[str, str] = common) -> Child:
        return Child(name=name, command=command, log=folder.log(name), environment=variables, cwd=ROOT)

    return [
        child("web", _web(host, port), web),
        child(
            "worker", _celery("worker", *ALONE, "--pool", "prefork", "--concurrency", _number("WORKER_CONCURRENCY", 2))
        ),
        child("beat", _celery("beat", "--schedule", str(folder.path / "beat"), "--pidfile=")),
    ]


def _web(host: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "walletproject.wsgi:application"),
        *("--interface", "wsgi", "--no-ws"),
        *("--host", host, "--port", str(port)),
        *("--workers", _number("WEB_WORKERS", 2)),
        *("--blocking-threads", str(BLOCKING_THREADS)),
        *("--backlog", str(BACKLOG)),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(WORKER_KILL_SECONDS)),
    ]


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "walletproject", *arguments, "--loglevel", "INFO"]


def _number(name: str, default: int) -> str:
    return os.environ.get(name, str(default))
