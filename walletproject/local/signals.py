"""Requests to stop, and children that ended, as things to wait for."""

import os
import select
import signal
import time
from contextlib import suppress
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# `make` and process managers pass a signal on that has reached us already: one request, not two.
ECHO_SECONDS = 1.0


class Signals:
    """Counts requests to stop. Made once, in the main thread."""

    def __init__(self) -> None:
        self.requests = 0
        self._last = 0.0
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in STOPPING:
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    @property
    def stop_requested(self) -> bool:
        """Whether somebody asked us to stop."""
        return self.requests > 0

    @property
    def in_a_hurry(self) -> bool:
        """Whether somebody asked twice."""
        return self.requests > 1

    def wait(self, seconds: float) -> None:
        """Return after that time, or as soon as a signal comes."""
        select.select([self._read], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self._read, 4096)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self.requests or time.monotonic() - self._last > ECHO_SECONDS:
            self.requests += 1
            self._last = time.monotonic()
