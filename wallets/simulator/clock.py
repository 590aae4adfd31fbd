"""The simulator's time: the machine's, or a test's, and either can be advanced."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970. With `stopped_at` it stands still until it is advanced."""

    def __init__(self, *, stopped_at: float | None = None) -> None:
        self._lock = threading.Lock()
        self._offset = 0.0
        self._source: Callable[[], float] = time.time if stopped_at is None else lambda: stopped_at

    def now(self) -> float:
        """What time it is."""
        return self._source() + self._offset

    @property
    def offset(self) -> float:
        """By how much it has been advanced."""
        return self._offset

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass at once; returns the time it is then."""
        with self._lock:
            self._offset += seconds
        return self.now()


def iso(moment: float | None) -> str | None:
    """A moment as the three providers write it."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
