"""What runs beside the servers: web, worker and beat, and the commands before them."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from walletproject.local.folder import DataFolder
from walletproject.local.processes import MARK, Child

# A second worker to talk to would only cost time.
ALONE = ("--without-gossip", "--without-mingle")
ROOT = Path(__file__).resolve().parent.parent.parent
BACKLOG = 2048
BLOCKING_THREADS = 8
# A little less than what the supervisor grants, so that granian itself reports the request that didn't end.
WORKER_KILL_SECONDS = 10


def manage(*arguments: str) -> list[str]:
    """A management command."""
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def long_running(folder: DataFolder, environment: Mapping[str, str], *, host: str, port: int) -> list[Child]:
    """Web, worker and beat, not started yet."""
    common = dict(environment) | {MARK: str(folder.path)}
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
