"""How an answer leaves, and how a fault keeps it from arriving."""

import select
import socket
import struct
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Protocol

from wallets.simulator.faults import TRANSPORT, Fault, Faults, Kind
from wallets.simulator.wire import Answer, Face, Task

# Longer than any client waits.
TIMEOUT = 120.0
SLOW = 2.0
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"


class Caller(Protocol):
    """Whoever waits for the answer."""

    def send(self, answer: Answer) -> None: ...
    def keep_waiting(self, seconds: float) -> None: ...
    def hang_up(self, *, reset: bool) -> None: ...


def carry_out(task: Task, face: Face, faults: Faults, caller: Caller) -> None:
    """Do what was asked and say so, or whatever a fault makes of it."""
    fault = faults.take(TRANSPORT, task.call)
    if fault is None:
        caller.send(task.perform())
        return
    happens = fault.kind in (Kind.SLOW, Kind.TRUNCATED) or (fault.kind is not Kind.RATE_LIMIT and fault.when == "after")
    answer = task.perform() if happens else face.trouble(503)
    MISHAPS[fault.kind](fault, answer, face, caller)


def _time_out(fault: Fault, answer: Answer, face: Face, caller: Caller) -> None:
    caller.keep_waiting(TIMEOUT if fault.seconds is None else fault.seconds)
    caller.hang_up(reset=False)


def _reset(fault: Fault, answer: Answer, face: Face, caller: Caller) -> None:
    caller.hang_up(reset=True)


def _error(fault: Fault, answer: Answer, face: Face, caller: Caller) -> None:
    caller.send(face.trouble(fault.status))


def _html(fault: Fault, answer: Answer, face: Face, caller: Caller) -> None:
    caller.send(Answer(200, HTML, {"Content-Type": "text/html"}))


def _truncate(fault: Fault, answer: Answer, face: Face, caller: Caller) -> None:
    content = answer.content()
    caller.send(Answer(answer.status, content[: len(content) // 2], answer.headers))


def _limit(fault: Fault, answer: Answer, face: Face, caller: Caller) -> None:
    limited = face.trouble(429)
    wish = {} if fault.seconds is None else {"Retry-After": f"{fault.seconds:g}"}
    caller.send(Answer(429, limited.body, {**limited.headers, **wish}))


def _be_slow(fault: Fault, answer: Answer, face: Face, caller: Caller) -> None:
    caller.keep_waiting(SLOW if fault.seconds is None else fault.seconds)
    caller.send(answer)


MISHAPS: dict[Kind, Callable[[Fault, Answer, Face, Caller], None]] = {
    Kind.TIMEOUT: _time_out,
    Kind.RESET: _reset,
    Kind.ERROR: _error,
    Kind.HTML: _html,
    Kind.TRUNCATED: _truncate,
    Kind.RATE_LIMIT: _limit,
    Kind.SLOW: _be_slow,
}


class Waiting(BaseHTTPRequestHandler):
    """A caller on a socket."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def send(self, answer: Answer) -> None:
        """The answer, whole."""
        content = answer.content()
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json; charset=utf-8", **answer.headers}
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def keep_waiting(self, seconds: float) -> None:
        """Say nothing for so long, or until nobody listens any more."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.is_ending():
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.2))
            if readable and self._has_left():
                return

    def hang_up(self, *, reset: bool) -> None:
        """Close without a word; with `reset` the other side sees a reset and no end."""
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def is_ending(self) -> bool:
        """Whether the simulator stops."""
        return False

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing for each request."""

    def _has_left(self) -> bool:
        try:
            return self.connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True
