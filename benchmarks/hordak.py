"""The same work in django-hordak, the best-known double-entry ledger for Django, in a scratch environment."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from psycopg import sql

from benchmarks import books
from benchmarks.engine import make_batches, run_batches
from benchmarks.measure import Row, compare, timed
from ledger.posting import post_durably

WORKER = Path(__file__).parent / "hordak_worker.py"
REQUIREMENTS = ("django-hordak==2.0.0", "Django==5.2.*", "psycopg[binary]==3.3.*")
DATABASE, THEIRS = "bench_beside_hordak", "bench_hordak"
TARGETS = {1: 3.0, 100: 20.0, 1_000: 20.0}


def rows(*, quick: bool) -> Iterator[Row]:
    """Batches and single transfers, ours and theirs, on one server."""
    python = environment(settings.DATA_DIR / "hordak")
    books.create(DATABASE)
    wallets = books.open_wallets(500)
    books.fund(wallets, books.open_till())
    with worker(python) as seconds:
        for size, target in TARGETS.items():
            ours, theirs = (300, 60) if size == 1 else (3_000, max(size, 200))
            work = _ours(wallets, size, ours)
            work(), seconds(size, theirs)
            what = "one at a time" if size == 1 else f"batches of {size:,}"
            yield compare(
                what,
                "django-hordak",
                work,
                lambda size=size, count=theirs: count / seconds(size, count),
                rounds=2 if quick else 5,
                target=target,
            )
    connection.close()
    for name in (DATABASE, THEIRS):
        books.drop(name)


def _ours(wallets: list, size: int, count: int) -> Callable[[], float]:
    def single() -> float:
        postings = [books.between(wallets) for _ in range(count)]
        return count / timed(lambda: [post_durably(posting, now=books.now()) for posting in postings])

    def batches() -> float:
        made = make_batches(lambda: books.between(wallets), size, count)
        return count / timed(lambda: run_batches(made))

    return single if size == 1 else batches


def environment(folder: Path) -> Path:
    """The Python of a virtual environment that has hordak, made the first time."""
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists() or done.read_text() != str(REQUIREMENTS):
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *REQUIREMENTS], check=True)
        done.write_text(str(REQUIREMENTS))
    return python


@contextmanager
def worker(python: Path) -> Iterator[Callable[[int, int], float]]:
    """A process that transfers in hordak; gives a function from size and count to seconds."""
    books.drop(THEIRS)
    with books.owner() as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(THEIRS)))
    address = {key.upper(): value for key, value in books.address("owner").items()} | {"NAME": THEIRS}
    variables = {key: value for key, value in os.environ.items() if key not in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH")}
    with subprocess.Popen(
        [str(python), "-P", str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables
    ) as process:

        def ask(line: str) -> str:
            print(line, file=process.stdin, flush=True)
            return process.stdout.readline()

        if ask(json.dumps(address)).strip() != "ready":
            raise RuntimeError("the hordak worker did not start")
        try:
            yield lambda size, count: float(ask(f"{size} {count}"))
        finally:
            process.stdin.close()
