"""How many queued transfers may wait: looked at in the database now and then, and counted down here in between.

Several processes may together pass the limit by what they accept within a second; a single one never does.
"""

from threading import Lock
from time import monotonic
from typing import Any, ClassVar

from django.conf import settings

from ledger import sql

SECONDS = 1.0
# Reads no further than the limit, in an index that has nothing but what waits.
WAITING = "SELECT count(*) FROM (SELECT FROM wallets_transfer WHERE next_at IS NOT NULL LIMIT %s) AS waiting"


class QueueFull(Exception):
    """More transfers wait for a worker than we let wait."""

    code: ClassVar[str] = "queue_full"
    title: ClassVar[str] = "The queue is full"

    def __init__(self) -> None:
        super().__init__("Too many transfers are waiting for their turn; repeat this one later, with the same key.")
        self.data: dict[str, Any] = {}


class Backlog:
    """What a process knows of the room that is left."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._limit = self._room = 0
        self._until = 0.0

    def take(self, count: int) -> int:
        """Take the room for so many, and tell for how many there was some."""
        limit = settings.TRANSFER_QUEUE_LIMIT
        if not limit:
            return count
        with self._guard:
            known = self._limit == limit and self._room >= count and monotonic() < self._until
        room = None if known else _look(limit)
        with self._guard:
            if room is not None:
                self._limit, self._room, self._until = limit, room, monotonic() + SECONDS
            taken = min(count, self._room)
            self._room -= taken
        return taken


def _look(limit: int) -> int:
    ((waiting,),) = sql.rows(WAITING, (limit,))
    return limit - int(waiting)


backlog = Backlog()
