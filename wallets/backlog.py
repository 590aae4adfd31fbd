"""How much may wait for workers: looked at in the database now and then, and counted down here in between.

Several processes may together pass a limit by what they accept within a second; a single one never does.
"""

from threading import Lock
from time import monotonic
from typing import Any, ClassVar

from django.conf import settings

from ledger import sql

SECONDS = 1.0
# Reads no further than the limit, in an index that has nothing but what waits.
WAITING = "SELECT count(*) FROM (SELECT FROM {table} WHERE {waits} LIMIT %s) AS waiting"


class QueueFull(Exception):
    """More waits for a worker than we let wait."""

    code: ClassVar[str] = "queue_full"
    title: ClassVar[str] = "The queue is full"

    def __init__(self, what: str) -> None:
        super().__init__(f"Too many {what} are waiting for their turn; repeat this one later, with the same key.")
        self.data: dict[str, Any] = {}


class Backlog:
    """What a process knows of the room that is left in a queue: rows of `table` of which `waits` is true.

    `setting` names the most that may wait; 0 stands for no limit.
    """

    def __init__(self, table: str, waits: str, setting: str) -> None:
        self._statement, self._setting = WAITING.format(table=table, waits=waits), setting
        self._guard = Lock()
        self._limit = self._room = 0
        self._until = 0.0

    def take(self, count: int) -> int:
        """Take the room for so many, and tell for how many there was some."""
        limit = getattr(settings, self._setting)
        if not limit:
            return count
        with self._guard:
            known = self._limit == limit and self._room >= count and monotonic() < self._until
        room = None if known else limit - int(sql.rows(self._statement, (limit,))[0][0])
        with self._guard:
            if room is not None:
                self._limit, self._room, self._until = limit, room, monotonic() + SECONDS
            taken = min(count, self._room)
            self._room -= taken
        return taken
