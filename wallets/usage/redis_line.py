"""A thread's own line to Redis: what is asked goes out at once, and the answer is read when somebody wants it.

redis-py's client waits for each answer. Whoever has something to do meanwhile, or has no use for the answer, need not:
answers come in the order of the questions, so one that nobody waited for is read before the next question goes out.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from redis import ConnectionPool
from redis.exceptions import ConnectionError, RedisError, ResponseError

Command = tuple[str | int | bytes, ...]


class Asked:
    """Commands that were sent, and their answers as far as they have come."""

    def __init__(self, line: "Line", count: int, refused: Callable[[ResponseError], None] | None = None) -> None:
        self._line, self._left, self._refused = line, count, refused
        self._answers: list[Any] = []
        self._lost: RedisError | None = None

    def read(self) -> list[Any]:
        """The answers, one for each command. Raises RedisError where one is a refusal, or the line was cut."""
        if self._left and not self._lost:
            self._line.read_up_to(self)
        for answer in (self._lost, *self._answers):
            if isinstance(answer, RedisError):
                raise answer
        return self._answers

    def receive(self, read: Callable[[], Any]) -> None:
        """Take the answers that are still to come."""
        while self._left:
            try:
                self._answers.append(read())
            except ResponseError as refusal:
                self._answers.append(refusal)
                if self._refused:
                    self._refused(refusal)
            self._left -= 1

    def lose(self, error: RedisError) -> None:
        """Take note that the answers won't come any more."""
        self._lost = error


class Line(threading.local):
    """A connection for each thread that asks, made when it first does, with the settings of a client's pool."""

    def __init__(self, pool: Callable[[], ConnectionPool]) -> None:
        self._pool, self._process = pool, 0
        self._connection: Any = None
        self._unread: deque[Asked] = deque()

    def ask(self, commands: Iterable[Command]) -> Asked:
        """Send commands. Raises RedisError where Redis can't be reached, or lets the line's earlier answers wait."""
        sent = list(commands)
        return self._send(sent, Asked(self, len(sent)))

    def say(self, commands: Iterable[Command], refused: Callable[[ResponseError], None]) -> None:
        """Send commands whose answers nobody reads: `refused` is told what is found refused once more is asked for.
        Raises as `ask` does.
        """
        sent = list(commands)
        self._send(sent, Asked(self, len(sent), refused))

    def read_up_to(self, asked: Asked) -> None:
        """Read answers until all that were asked for then are there."""
        while asked in self._unread:
            self._carefully(lambda: self._unread[0].receive(self._connection.read_response))
            self._unread.popleft()

    def _send(self, commands: Sequence[Command], asked: Asked) -> Asked:
        connection = self._ready()
        self._unread.append(asked)
        self._carefully(lambda: connection.send_packed_command(connection.pack_commands(commands), check_health=False))
        return asked

    def _ready(self) -> Any:
        """The connection, with nothing left to be read. One that Redis has closed since is opened anew."""
        if self._process != os.getpid():
            self._process, self._connection = os.getpid(), self._pool().make_connection()
            self._unread.clear()
        connection = self._connection
        try:
            while self._unread:
                self.read_up_to(self._unread[-1])
            if connection.is_connected and connection.can_read():
                raise ConnectionError("Redis says what it wasn't asked, or has closed the line.")
        except ConnectionError as error:
            self._cut(error)
        self._carefully(connection.connect)
        return connection

    def _carefully(self, act: Callable[[], None]) -> None:
        """Do something with the connection. If that fails nobody knows which answer would come next: cut it."""
        try:
            act()
        except BaseException as error:
            self._cut(error if isinstance(error, RedisError) else ConnectionError(str(error)))
            raise

    def _cut(self, error: RedisError) -> None:
        self._connection.disconnect()
        while self._unread:
            self._unread.popleft().lose(error)
