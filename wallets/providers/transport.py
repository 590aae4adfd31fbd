"""One HTTP call to a provider, as a value: what it replied, or that it was never asked, or that nobody knows.

No call is repeated here, no redirect followed, and nothing of a request is logged. No Django in here.
"""

import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from ssl import SSLContext
from typing import Any, NoReturn
from urllib.parse import quote

import httpx

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
# No answer of theirs comes near it: a longer one isn't theirs.
BODY_LIMIT = 4 * 1024 * 1024
CONNECTIONS = 32
LONGEST_WAIT = 3600.0
KEPT_HEADERS = ("date", "x-request-id")

# Raised before the first byte of a request is written. Whatever else goes wrong may have gone wrong after the last.
BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a provider's `wire` module writes it; `body` goes as JSON. Its repr names nobody."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """It answered. `body` is its JSON object, None where it isn't one or can't be read; `retry_after` in seconds."""

    status: int
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not a byte of the request reached it."""

    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request, or part of it, was sent, and no answer came: it may have been heard."""

    why: str


Answer = Reply | NotSent | Lost


class Transport:
    """The way to one provider: its address, the headers with our keys, and one pool of connections."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "wallet", **headers}
        self._pool: tuple[int, httpx.Client] | None = None

    def call(self, call: Call, *, seconds: float = READ_SECONDS) -> Answer:
        """Send a call, once, and wait for `seconds` at most for its answer. Raises nothing for trouble on the way."""
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
        deadline = time.monotonic() + CONNECT_SECONDS + seconds
        try:
            with self._client().stream(
                call.method,
                self._base_url + call.path,
                params=dict(call.query) or None,
                content=None if call.body is None else json.dumps(call.body).encode(),
                headers={"Content-Type": "application/json", **call.headers} if call.body is not None else call.headers,
                timeout=timeout,
            ) as response:
                return _reply(response, _read(response, deadline))
        except BEFORE_SENDING as error:
            return NotSent(type(error).__name__)
        except httpx.InvalidURL:
            return NotSent("InvalidURL")
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            # Only its kind: the text of some errors quotes the headers, and those have our keys.
            return Lost(type(error).__name__)

    def _client(self) -> httpx.Client:
        """The pool of this process: connections can't be shared with the process that this one was forked from."""
        process = os.getpid()
        if self._pool is None or self._pool[0] != process:
            limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
            client = httpx.Client(headers=self._headers, limits=limits, verify=_trusted(), follow_redirects=False)
            self._pool = process, client
        return self._pool[1]


@cache
def _trusted() -> SSLContext:
    """Whom we believe to be who they say: read once, for it takes a while."""
    return httpx.create_ssl_context()


def segment(name: str) -> str:
    """A name as one part of a path, whatever is in it."""
    return quote(name, safe="").replace(".", "%2E")


def decode(raw: bytes) -> dict[str, Any] | None:
    """A JSON object with its numbers exact, or None where it isn't one."""
    try:
        value = json.loads(raw, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read(response: httpx.Response, deadline: float) -> bytes:
    """The body, or nothing where it is too long. Raises ReadTimeout when it drips past the deadline."""
    pieces, size = [], 0
    for piece in response.iter_bytes():
        size += len(piece)
        if size > BODY_LIMIT:
            return b""
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("The body came too slowly.")
        pieces.append(piece)
    return b"".join(pieces)


def _reply(response: httpx.Response, raw: bytes) -> Reply:
    kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return Reply(response.status_code, decode(raw), _retry_after(response.headers), kept)


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait, from a number of them or a date; the sender's own clock counts where it tells it."""
    wish = headers.get("retry-after", "")
    try:
        seconds = float(wish)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(wish) - parsedate_to_datetime(headers["date"])).total_seconds()
        except (KeyError, ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else None
