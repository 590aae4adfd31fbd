"""Child processes that end when the supervisor ends, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from walletproject.local.identity import Identity

PR_SET_PDEATHSIG = 1
# Every process of a run carries this variable, so that the next run recognises what a killed one left behind.
MARK = "WALLET_RUN"
# How long a killed process may take to give back a large memory.
KILLED_SECONDS = 10.0

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(eq=False)
class Child:
    """One supervised process, leader of its own group, so that a Ctrl-C in the terminal reaches only the supervisor.

    `stop_signal` asks it to finish; the kernel sends it as well when the supervisor dies.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    stop_signal: signal.Signals = signal.SIGTERM
    identity: Identity = Identity.SAME
    cwd: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; whatever a dead predecessor left of its group is ended first."""
        self.kill()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=bound_to_parent(self.stop_signal, self.identity),
            )

    @property
    def alive(self) -> bool:
        """Whether it runs at this moment."""
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self, with_signal: signal.Signals | None = None) -> None:
        """Send the signal; don't wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(with_signal or self.stop_signal)

    def kill(self) -> None:
        """End its whole group at once."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


def bound_to_parent(death_signal: signal.Signals, identity: Identity = Identity.SAME) -> Callable[[], None]:
    """What a child does between fork and exec: change identity, then ask for a signal when the parent dies."""
    parent = os.getpid()

    def prepare() -> None:
        identity.enter()
        if sys.platform == "linux":
            # After the change of identity, which would clear it.
            _libc.prctl(PR_SET_PDEATHSIG, death_signal)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def stop_all(children: Sequence[Child], *, seconds: float, hurry: Callable[[], bool] = lambda: False) -> list[str]:
    """Ask all of them to finish, wait (not in a hurry), then kill; returns the names of those that had to be killed."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + seconds
    while any(child.alive for child in children) and time.monotonic() < deadline and not hurry():
        time.sleep(0.02)
    late = [child.name for child in children if child.alive]
    for child in children:
        child.kill()
    return late


def left_behind(mark: str) -> set[int]:
    """Processes of an earlier run with the same data folder that outlived their supervisor."""
    entry = f"{MARK}={mark}".encode()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(folder.name) != os.getpid() and entry in (folder / "environ").read_bytes().split(b"\0"):
                found.add(int(folder.name))
    return found


def clear_left_behind(mark: str, *, seconds: float = 3.0) -> None:
    """Wait for the remains of a killed run to finish by themselves, then end them: their servers are gone too."""
    ending, late = _wait_for_end(left_behind(mark), seconds), left_behind(mark)
    for pid in late:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    _wait_for_end(ending | late, KILLED_SECONDS)


def _wait_for_end(pids: set[int], seconds: float) -> set[int]:
    """Returns those that haven't ended within the seconds.

    One that is ending has lost its environment, by which it was found, before it lets go of its ports and locks.
    """
    deadline = time.monotonic() + seconds
    while (pids := {pid for pid in pids if _holds_on(pid)}) and time.monotonic() < deadline:
        time.sleep(0.02)
    return pids


def _holds_on(pid: int) -> bool:
    """Whether the process may still have files open: once each thread is a zombie (proc(5), state Z), it has none."""
    for thread in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            if thread.read_bytes().rpartition(b") ")[2][:1] not in b"ZX":
                return True
    return False
