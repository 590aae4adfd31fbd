"""The sockets: a thread for each connection, and what it reads handed on."""

import socket
import sys
from contextlib import suppress
from http.server import ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from wallets.simulator.transport import Waiting
from wallets.simulator.wire import Answer, Request

LARGEST_BODY = 1 << 20


class Served(Protocol):
    """Whatever answers the calls."""

    @property
    def ending(self) -> bool: ...
    @property
    def url(self) -> str: ...
    def serve(self, request: Request, caller: Waiting) -> None: ...


class Server(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, simulator: Served, host: str, port: int) -> None:
        super().__init__((host, port), Handler)
        self.simulator = simulator
        self._callers: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember who is connected."""
        self._callers.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """One has left."""
        self._callers.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Leave nobody waiting."""
        for caller in tuple(self._callers):
            with suppress(OSError):
                caller.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers who hang up; they do so all the time."""
        if not self.simulator.ending and not isinstance(sys.exception(), OSError | ValueError):
            super().handle_error(request, client_address)


class Handler(Waiting):
    """Reads a call and hands it on."""

    server: Server

    def serve(self) -> None:
        """Whatever the method is."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self.send(Answer(411, {"error": "Send a body with its length."}))
        parts = urlsplit(self.path)
        return self.server.simulator.serve(
            Request(
                method=self.command,
                path=unquote(parts.path),
                query=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(length)),
                origin=f"http://{self.headers.get('Host') or self.server.simulator.url.removeprefix('http://')}",
            ),
            self,
        )

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    def is_ending(self) -> bool:
        return self.server.simulator.ending
