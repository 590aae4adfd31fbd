"""How Django REST framework learns who is calling: a token of a person, or the signature of a service."""

from collections.abc import Mapping
from urllib.parse import quote

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from users import signatures, tokens
from users.callers import Caller, NotAuthenticated
from users.signatures import SignatureExpired, SignatureInvalid, SignatureReplayed
from users.tokens import TokenInvalid

__all__ = [
    "BearerAuthentication",
    "NotAuthenticated",
    "SignatureAuthentication",
    "SignatureExpired",
    "SignatureInvalid",
    "SignatureReplayed",
    "TokenInvalid",
    "caller_of",
]

# What a path may hold unescaped (RFC 3986): a client signs the path as it sends it.
_PATH_SAFE = "/!$&'()*+,;=:@-._~"


def caller_of(request: Request) -> Caller:
    """Who is calling; raises NotAuthenticated where a view lets strangers in."""
    caller: object = request.user
    if not isinstance(caller, Caller):
        raise NotAuthenticated
    return caller


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`, without a query. A request without it is left to the next class."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return tokens.authenticate(token.strip(), now=timezone.now()), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SignatureAuthentication(BaseAuthentication):
    """`Signature-Input` and `Signature`, with one query. A request with neither is left to the next class."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        if "HTTP_SIGNATURE_INPUT" not in request.META and "HTTP_SIGNATURE" not in request.META:
            return None
        return signatures.verify(_Message(request._request), now=timezone.now()), None

    def authenticate_header(self, request: Request) -> str:
        return "Signature"


class _Message:
    """A Django request as the signature sees it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.method = request.method or ""
        self.headers: Mapping[str, str] = request.headers
        self.url = _url(request)

    @property
    def body(self) -> bytes:
        return self._request.body


def _url(request: HttpRequest) -> str:
    """The URL as it was asked for. The host isn't checked here: it counts only where a signature covers it."""
    host = request.META.get("HTTP_HOST") or request.META["SERVER_NAME"]
    query = request.META.get("QUERY_STRING", "")
    return f"{request.scheme}://{host}{quote(request.path, safe=_PATH_SAFE)}{'?' if query else ''}{query}"
