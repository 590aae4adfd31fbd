"""`run`: servers, migrations, demo data, web, worker and beat, in this order up and in the other down."""

import json
import os
import socket
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from walletproject.local.announcement import announce
from walletproject.local.failures import CannotRun
from walletproject.local.folder import DataFolder
from walletproject.local.keeper import Keeper
from walletproject.local.processes import clear_left_behind, stop_all
from walletproject.local.programs import Interrupted, finish, long_running
from walletproject.local.servers import Servers
from walletproject.local.signals import Signals

# Together with the servers' own 6 seconds below the promised 20.
FINISH_SECONDS = 12.0
READY_SECONDS = 90.0
FIRST_DEATHS = 3
NEVER_READY = "The product did not become ready"


class Supervisor:
    """One run of the whole product on this machine."""

    def __init__(self, folder: DataFolder, *, host: str, port: int, console: Console) -> None:
        self.folder = folder
        self.host, self.port = host, port
        self.console = console
        self.signals = Signals()
        self.servers: Servers | None = None
        self.keepers: list[Keeper] = []

    @property
    def base(self) -> str:
        """Where a browser on this machine finds it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}"

    def run(self) -> None:
        """Start everything, keep it running, and stop it when asked. Raises CannotRun."""
        self.folder.lock()
        clear_left_behind(str(self.folder.path))
        refuse_taken_port(self.host, self.port)
        try:
            demo = self._start()
            announce(self.console, self.base, demo, str(self.folder.path / "log"))
            while not self.signals.stop_requested:
                self._look_after_children()
        except Interrupted:
            pass
        finally:
            self._stop()

    def _start(self) -> dict[str, Any] | None:
        started = time.monotonic()
        self.servers = Servers(self.folder)
        environment = self.servers.start()
        self.keepers = [Keeper(child, self._tell) for child in self.servers.children]
        self._manage(environment, "migrate", "--database", "owner", "--verbosity", "0")
        demo = self._seed(environment)
        for child in long_running(self.folder, environment, host=self.host, port=self.port):
            child.start()
            self.keepers.append(Keeper(child, self._tell))
        self._wait_until_ready()
        self._tell(f"Ready after {time.monotonic() - started:.1f} s")
        return demo

    def _seed(self, environment: Mapping[str, str]) -> dict[str, Any] | None:
        if environment.get("DJANGO_ENV") == "production":
            return None
        return json.loads(self._manage(environment, "seed_demo"))

    def _manage(self, environment: Mapping[str, str], *arguments: str) -> str:
        self._tell(f"{arguments[0]} …")
        mark = str(self.folder.path)
        return finish(arguments, environment, mark=mark, stop_requested=lambda: self.signals.stop_requested)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not answers(f"{self.base}/health/ready"):
            self._look_after_children(0.1)
            if self.signals.stop_requested:
                raise Interrupted
            late = time.monotonic() > deadline
            for keeper in self.keepers:
                if len(keeper.deaths) >= FIRST_DEATHS or (late and keeper.child.name == "web"):
                    child = keeper.child
                    raise CannotRun(f"{NEVER_READY}. The end of {child.log}:\n{child.last_words(40)}")

    def _look_after_children(self, seconds: float = 0.5) -> None:
        self.signals.wait(seconds)
        if self.signals.stop_requested:
            return
        for keeper in self.keepers:
            keeper.look(time.monotonic())

    def _stop(self) -> None:
        ours = self.servers.children if self.servers else []
        programs = [keeper.child for keeper in self.keepers if keeper.child not in ours]
        if programs:
            self._tell("Stopping: requests and tasks in flight are finished first (Ctrl-C again hurries)")
        late = stop_all(programs, seconds=FINISH_SECONDS, hurry=lambda: self.signals.in_a_hurry)
        if late:
            self._tell(f"Had to end: {', '.join(late)}")
        if self.servers:
            self.servers.stop()
        self._tell("Stopped")

    def _tell(self, sentence: str) -> None:
        self.console.print(sentence, style="dim", markup=False, highlight=False, soft_wrap=True)


def refuse_taken_port(host: str, port: int, *, seconds: float = 2.0) -> None:
    """Raises CannotRun where something listens there, and still does so many seconds later: what was just killed lets
    go of its ports last, when nothing tells any more whose it was.
    """
    deadline = time.monotonic() + seconds
    while (refusal := _try_port(host, port)) is not None:
        if time.monotonic() > deadline:
            another = f"Choose another port: PORT={port + 1} make run"
            raise CannotRun(f"Can't listen on {host} port {port} ({refusal.strerror}). {another}")
        time.sleep(0.05)


def _try_port(host: str, port: int) -> OSError | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def answers(url: str) -> bool:
    """Whether the address answers 200."""
    # A name that the product answers to, where it is told which.
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip(".* ")
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def run(data: Path) -> None:
    """`run` with what the environment says: HOST, PORT and the rest. Raises CannotRun."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise CannotRun(f"PORT must be a number from 1 to 65535, not {port!r}.")
    Supervisor(DataFolder(data), host=host, port=int(port), console=Console()).run()
