"""A server on a socket that answers as a test tells it to, badly too."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int = 200, body: Any = None, **headers: str) -> Behaviour:
    """Answer; `body` bytes are sent as they are, all else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)

    return behave


def html(status: int = 200) -> Behaviour:
    return answer(status, b"<html><h1>Please hold the line</h1></html>", Content_Type="text/html")


def silence(seconds: float = 0.6) -> Behaviour:
    """Take the request, and say nothing until the client has gone."""
    return lambda handler: time.sleep(seconds)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Take the request, and reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for end in (handler.rfile, handler.wfile, handler.connection):
        end.close()


def half(handler: BaseHTTPRequestHandler) -> None:
    """Begin to answer, and hang up within the body."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"status": true, "data": {')
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time, each soon enough for a timeout that starts anew with each."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    try:
        for _ in range(1000):
            handler.wfile.write(b" ")
            time.sleep(0.02)
    except OSError:
        return


class Server:
    """Answers each request with the next of `behaviours`, the last of them again and again."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.behaviours: list[Behaviour] = [answer(body={})]
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def will(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (OSError, ValueError):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append(Request(self.command, self.path, headers, body))
                behave = server.behaviours.pop(0) if len(server.behaviours) > 1 else server.behaviours[0]
                behave(self)

            do_GET = do_POST = _serve  # noqa: N815

        return Handler


def unused_address() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
