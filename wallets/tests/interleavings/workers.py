"""Workers that stop where a test wants: each runs the product's own code in a thread, and only one runs at a time."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from django.db import connection, connections

MOST = 3
# Longer than anything between two stops takes; a test that hangs fails.
PATIENCE = 60.0
_here = threading.local()


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Worker:
    """A deed that was begun. It stops before each call of a provider and after it, until told to go on or to die."""

    def __init__(self, deed: Callable[[], Any]) -> None:
        self._deed = deed
        self._word: SimpleQueue[bool] = SimpleQueue()
        self._news: SimpleQueue[str] = SimpleQueue()
        self._failure: BaseException | None = None
        self.at = ""

    def run(self) -> None:
        """In its thread."""
        _here.worker = self
        try:
            self._deed()
        except Killed:
            pass
        except BaseException as error:
            self._failure = error
        finally:
            _here.worker = None
            self._news.put("")

    def stop(self, where: str) -> None:
        """In its thread: wait to be told. Raises Killed."""
        self._news.put(where)
        if not self._word.get(timeout=PATIENCE):
            raise Killed

    def hear(self) -> bool:
        """Wait until it stops or ends; returns whether it has stopped. Raises what it died of."""
        self.at = self._news.get(timeout=PATIENCE)
        if self._failure is not None:
            raise self._failure
        return bool(self.at)

    def tell(self, *, live: bool) -> bool:
        """Let it go on, or die; returns whether it has stopped again."""
        self._word.put(live)
        return self.hear()


class Crew:
    """The workers of a test, in threads that keep their connections."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MOST)
        self.stopped: list[Worker] = []

    def begin(self, deed: Callable[[], Any]) -> None:
        """Let a worker begin, up to its first stop; with all of them at a stop, nobody is free."""
        if len(self.stopped) < MOST:
            worker = Worker(deed)
            self._pool.submit(worker.run)
            if worker.hear():
                self.stopped.append(worker)

    def tell(self, worker: Worker, *, live: bool) -> None:
        """Let one that has stopped go on, or die."""
        self.stopped.remove(worker)
        if worker.tell(live=live):
            self.stopped.append(worker)

    def dismiss(self) -> None:
        """Let all die."""
        while self.stopped:
            self.tell(self.stopped[0], live=False)

    def close(self) -> None:
        """Send everybody home, their connections closed."""
        self.dismiss()
        all_here = threading.Barrier(MOST, timeout=PATIENCE)
        for _ in range(MOST):
            self._pool.submit(lambda: (connections.close_all(), all_here.wait()))
        self._pool.shutdown()


@contextmanager
def crew() -> Iterator[Crew]:
    """A crew for as long as the block lasts."""
    made = Crew()
    try:
        yield made
    finally:
        made.close()


def stopping(call: Callable[..., Any]) -> Callable[..., Any]:
    """A provider's call, before and after which a worker stops; nobody may come here inside a transaction."""

    def called(*arguments: Any) -> Any:
        assert not connection.in_atomic_block, "a bank is called with a transaction open"
        _stop(f"before {call.__name__}")
        answer = call(*arguments)
        _stop(f"after {call.__name__}")
        return answer

    return called


def _stop(where: str) -> None:
    worker = getattr(_here, "worker", None)
    if worker is not None:
        worker.stop(where)
