"""Starts again what dies: at first at once, then ever more slowly, and says so in words when it doesn't help."""

from collections import deque
from collections.abc import Callable

from walletproject.local.processes import Child

LOOP_COUNT, LOOP_SECONDS = 5, 60.0
LONGEST_PAUSE = 30.0


class Keeper:
    """Watches one child. `tell` is called with a sentence for a person."""

    def __init__(self, child: Child, tell: Callable[[str], None]) -> None:
        self.child = child
        self.tell = tell
        self.deaths: deque[float] = deque(maxlen=LOOP_COUNT)
        self._again_at: float | None = None

    def look(self, now: float) -> None:
        """Notice a death, and start again once the pause is over. `now` is any steady clock's."""
        if self.child.alive:
            return
        if self._again_at is None:
            self._again_at = now + self._mourn(now)
        if now >= self._again_at:
            self._again_at = None
            self.child.start()

    def _mourn(self, now: float) -> float:
        recent = sum(1 for death in self.deaths if now - death < LOOP_SECONDS)
        self.deaths.append(now)
        pause = min(LONGEST_PAUSE, 0.5 * 2**recent) if recent else 0.0
        code = self.child.process.returncode if self.child.process else None
        if recent == LOOP_COUNT - 1:
            self.tell(
                f"{self.child.name} keeps stopping: {LOOP_COUNT} times within {LOOP_SECONDS:.0f} s. It is tried again "
                f"every {LONGEST_PAUSE:.0f} s at most. The end of {self.child.log}:\n{self.child.last_words()}"
            )
        else:
            self.tell(f"{self.child.name} stopped ({code}) and is started again; its log is {self.child.log}")
        return pause
