"""A thread's own line to Redis: what is asked goes out at once, and the answer is read when somebody wants it.

redis-py's client waits for each answer. Whoever has something to do meanwhile, or has no use for the answer, need not:
answers come in the order of the questions, so what is still unread is read before the next question goes out.
"""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from redis import ConnectionPool
from redis.exceptions import ConnectionError, RedisError, ResponseError

Command = tuple[str | int | bytes, ...]
Refused = Callable[[ResponseError], None]


class Asked:
    """Commands that were sent, and their answers as far as they were read. Only the thread that asked may read them."""

    def __init__(self, line: "Line", count: int, refused: Refused | None) -> None:
        self._line, self._left, self._refused = line, count, refused
        self._answers: list[Any] = []
        self._lost: RedisError | None = None

    def read(self) -> list[Any]:
        """The answers, one for each command. Raises RedisError where one is a refusal, or the line was cut."""
        if self._left and not self._lost:
            self._line.finish(self)
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
    """A connection for each thread that asks, made when it first does, as a client's pool makes its own. It is none of
    the pool's: threads come and go, and it would never be given back.
    """

    def __init__(self, pool: Callable[[], ConnectionPool]) -> None:
        self._pool, self._process = pool, 0
        self._connection: Any = None
        self._unread: Asked | None = None

    def ask(self, commands: Iterable[Command]) -> Asked:
        """Send commands. Raises RedisError where Redis can't be reached, or lets the line's earlier answers wait."""
        return self._send(list(commands))

    def say(self, commands: Iterable[Command], refused: Refused) -> None:
        """Send commands whose answers nobody reads: `refused` is told, once more is asked for, what Redis refused.
        Raises as `ask` does.
        """
        self._send(list(commands), refused)

    def finish(self, asked: Asked) -> None:
        """Read what is still to come of what was asked last. Raises RedisError, and cuts the line, if it doesn't."""
        if asked is not self._unread:
            raise ConnectionError("Redis was asked by another thread.")
        self._carefully(lambda: asked.receive(self._connection.read_response))
        self._unread = None

    def _send(self, commands: Sequence[Command], refused: Refused | None = None) -> Asked:
        connection = self._ready()
        asked = self._unread = Asked(self, len(commands), refused)
        self._carefully(lambda: connection.send_packed_command(connection.pack_commands(commands), check_health=False))
        return asked

    def _ready(self) -> Any:
        """The connection, with nothing left to be read. One that Redis has closed since is opened anew."""
        if self._process != os.getpid():
            pool = self._pool()
            self._process, self._connection = os.getpid(), pool.connection_class(**pool.connection_kwargs)
            self._unread = None
        connection = self._connection
        try:
            if self._unread:
                self.finish(self._unread)
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
        if self._unread:
            self._unread.lose(error)
        self._unread = None
