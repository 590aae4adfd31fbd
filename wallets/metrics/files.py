"""Counting in many processes: each counts in files of its own, and whoever is scraped adds them all up.

The folder is named by PROMETHEUS_MULTIPROC_DIR; without it a process counts for itself alone. A process's files bear
a random name and live under a lock that the kernel lets go when the process ends, in whichever container it ran. What
the dead have counted is added to one set of files, so that no count ever falls, nor do files pile up.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import IO, NamedTuple

from prometheus_client import Metric, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
ALIVE = ".alive"


class Mark(NamedTuple):
    """A process, the name of its files, and the lock that says it lives."""

    pid: int
    name: str
    lock: IO[bytes]


_mark: Mark | None = None


class Files:
    """Collects what all processes have counted."""

    def collect(self) -> Iterable[Metric]:
        folder = Path(FOLDER)
        with _folder_to_ourselves(folder):
            _bury_the_dead(folder)
            return MultiProcessCollector.merge([str(file) for file in folder.glob("*.db") if file.stat().st_size])


def _own_name() -> str:
    """The name of this process's files; a fork takes a new one. The client calls this under a lock of its own."""
    global _mark
    if _mark is None or _mark.pid != os.getpid():
        folder, name = Path(FOLDER), token_hex(8)
        with _folder_to_ourselves(folder):
            lock = (folder / f"{name}{ALIVE}").open("wb")
            fcntl.flock(lock, fcntl.LOCK_EX)
        _mark = Mark(os.getpid(), name, lock)
    return _mark.name


@contextmanager
def _folder_to_ourselves(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _bury_the_dead(folder: Path) -> None:
    """Add up the files of processes that have ended."""
    for mark in folder.glob(f"*{ALIVE}"):
        with mark.open("rb") as handle, suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for file in folder.glob(f"*_{mark.stem}.db"):
                _bury(file, file.with_name(file.name.replace(mark.stem, "dead")))
            mark.unlink()


def _bury(file: Path, grave: Path) -> None:
    """Add a file's counts to another's; of a gauge the latest value stays."""
    kept = MmapedDict(str(grave))
    if file.stat().st_size:
        for key, value, moment, _ in MmapedDict.read_all_values_from_file(str(file)):
            before, earlier = kept.read_value(key)
            if not file.name.startswith("gauge_"):
                kept.write_value(key, before + value, 0.0)
            elif moment >= earlier:
                kept.write_value(key, value, moment)
    kept.close()
    file.unlink()


if FOLDER:
    Path(FOLDER).mkdir(parents=True, exist_ok=True, mode=0o700)
    # Before any metric is made: its values are of the class that stands here then.
    values.ValueClass = values.MultiProcessValue(_own_name)
