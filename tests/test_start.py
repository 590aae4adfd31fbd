"""The whole product as `make run` starts it, in a folder of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What the suite itself runs with: a newcomer's shell has none of it.
OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "DJANGO_SETTINGS_MODULE")
# Answered with 401, and asked for by nobody else.
STRANGER = "/api/v1/me"
NOTE = "from django.contrib.sessions.models import Session as S; "
WRITE = NOTE + "S.objects.create(session_key='kept', session_data='', expire_date='2100-01-01T00:00Z')"
READ = NOTE + "print(S.objects.filter(session_key='kept').count())"
PEOPLE = "from users.models import User; print(User.objects.count())"

pytestmark = pytest.mark.crash


class Product:
    """`make run`, in a data folder and on a port of its own."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self.printed = data.with_name("printed")
        clean = {name: value for name, value in os.environ.items() if name not in OURS and "PYTEST" not in name}
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = clean | {"DATA_DIR": str(data), "PORT": str(self.port), "COLUMNS": "200"}

    def spawn(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "walletproject.local", "run"]
        with self.printed.open("wb") as printed:
            return subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed
            )

    def start(self) -> "subprocess.Popen[bytes]":
        """Return when it has said that it is ready, to the end: a killed run's web may still answer for a moment."""
        self.process = self.spawn()
        deadline = time.monotonic() + 180
        while "is ready" not in (printed := self.printed.read_text()) or not printed.endswith("\n\n"):
            assert self.process.poll() is None, self.printed.read_text()
            assert time.monotonic() < deadline, "not ready within three minutes"
            time.sleep(0.05)
        assert self.get("/health/ready") == 200
        return self.process

    def stop(self) -> None:
        """Let it end, if it runs."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(25)

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.status

    def text(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def count_refused(self) -> int:
        """How many requests of strangers /metrics has counted, of all web processes together."""
        found = re.search(r'wallet_http_problems_total\{code="not_authenticated"\} (\d+)', self.text("/metrics"))
        return int(found[1]) if found else 0

    def web_processes(self) -> list[int]:
        """The processes that answer requests: the children of the one that the supervisor started as web."""
        web = [pid for pid, line in self.processes().items() if "granian" in line]
        parents = {pid: re.search(r"PPid:\s(\d+)", Path(f"/proc/{pid}/status").read_text()) for pid in web}
        return [pid for pid, parent in parents.items() if parent and int(parent[1]) in web]

    def shell(self, code: str) -> str:
        """What `manage.py shell` prints in another terminal."""
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def try_printed_lines(self) -> list[dict]:
        """Paste the curl lines into a shell as they were printed; returns what each printed."""
        lines = [line for line in self.printed.read_text().splitlines() if "curl" in line]
        done = subprocess.run(["bash", "-c", "; echo; ".join(lines)], capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines() if line]

    def processes(self) -> dict[int, str]:
        """The command lines of everything that runs for this data folder, by process id."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                line, variables = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            except OSError:
                continue
            if str(self.data).encode() in line + variables:
                found[int(folder.name)] = line.replace(b"\0", b" ").decode()
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("start") / "data")
    yield product
    product.stop()


@pytest.fixture
def product(folder: Product) -> Product:
    """It runs: it was started before, or is now."""
    if folder.process is None or folder.process.poll() is not None:
        folder.start()
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_it_starts_and_a_second_run_is_refused(product):
    assert f"http://127.0.0.1:{product.port}/api/v1" in product.printed.read_text()
    for path in ("/health", "/api/docs", "/admin/login/"):
        assert product.get(path) == 200
    wallets, transfer = product.try_printed_lines()
    assert wallets["results"]
    assert transfer["status"] == "completed"
    assert (product.data / "environment").stat().st_mode & 0o777 == 0o600

    assert product.spawn().wait(10) == 1
    assert "in use by another run" in product.printed.read_text()


def test_all_processes_count_as_one_also_after_one_is_killed(product):
    before = product.count_refused()
    for _ in range(40):
        with pytest.raises(HTTPError):
            product.get(STRANGER)
    assert product.count_refused() == before + 40
    web = product.web_processes()
    assert len(web) == 2
    os.kill(web[0], signal.SIGKILL)
    while Path(f"/proc/{web[0]}").exists():
        time.sleep(0.01)
    with pytest.raises(HTTPError):
        product.get(STRANGER)
    assert [product.count_refused() for _ in range(5)] == [before + 41] * 5
    assert 'wallet_queue_depth{queue="withdrawals"}' in product.text("/metrics")


def test_after_kill_nine_of_the_supervisor_it_starts_again_with_its_data(product):
    people = product.shell(WRITE + "; " + PEOPLE)
    product.process.kill()
    product.process.wait()

    product.start()
    assert product.shell(f"{READ}; {PEOPLE}") == f"1\n{people}", "seeded twice"


def test_it_stops_within_20_seconds_leaving_nothing(product):
    product.process.send_signal(signal.SIGTERM)
    assert product.process.wait(20) == 0
    assert product.processes() == {}
