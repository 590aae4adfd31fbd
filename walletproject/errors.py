"""The one table from errors to HTTP: each error class carries its stable `code`, and a code has one status.

Nothing else in the product knows a status. A class without a row here is a defect, and answers 500.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import django.db
import msgspec
import psycopg
from django.conf import settings
from django.core import exceptions as django_exceptions
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.views import defaults
from rest_framework import exceptions as drf

from users.context import request_id
from users.validation import ValidationError
from walletproject.ratelimits import RateLimited, count_failed_authentication
from walletproject.sites import is_admin
from wallets import metrics
from wallets.transfers import NothingMoved

logger = logging.getLogger(__name__)

STATUS: dict[str, int] = {
    "validation_error": 400,
    "malformed_json": 400,
    "idempotency_key_missing": 400,
    "idempotency_key_invalid": 400,
    "bad_request": 400,
    "not_authenticated": 401,
    "token_invalid": 401,
    "signature_invalid": 401,
    "signature_expired": 401,
    "signature_replayed": 401,
    "permission_denied": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "idempotency_in_progress": 409,
    "duplicate_request": 409,
    "invalid_state": 409,
    "wallet_not_empty": 409,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "insufficient_funds": 422,
    "wallet_frozen": 422,
    "wallet_closed": 422,
    "currency_mismatch": 422,
    "same_wallet": 422,
    "amount_too_large": 422,
    "limit_exceeded": 422,
    "idempotency_key_reused": 422,
    "rate_limited": 429,
    "internal_error": 500,
    "queue_full": 503,
    "database_unavailable": 503,
    "provider_unavailable": 503,
    "outcome_unknown": 503,
    "not_ready": 503,
}

# Errors that carry another one's code, under a status of their own: a batch done whole is refused as a whole.
STATUS_OF: dict[type[Exception], int] = {NothingMoved: 422}

# Mistakes of our own code, whatever was sent: they have no status, so each answers 500, its traceback in the log.
DEFECTS = frozenset(
    {"malformed_posting", "outside_transaction", "unknown_account", "hold_closed", "refused", "period_closed"}
)

# Seconds after which it is worth asking again.
RETRY_AFTER: dict[str, int] = {
    "idempotency_in_progress": 1,
    "queue_full": 10,
    "database_unavailable": 2,
    "provider_unavailable": 10,
    "outcome_unknown": 2,
    "not_ready": 2,
}

# What frameworks and drivers raise, in our words. The nearest class wins.
FOREIGN: dict[type[Exception], str] = {
    drf.ParseError: "malformed_json",
    drf.NotAuthenticated: "not_authenticated",
    drf.AuthenticationFailed: "token_invalid",
    drf.PermissionDenied: "permission_denied",
    drf.NotFound: "not_found",
    drf.MethodNotAllowed: "method_not_allowed",
    drf.UnsupportedMediaType: "unsupported_media_type",
    drf.Throttled: "rate_limited",
    Http404: "not_found",
    UnreadablePostError: "bad_request",
    django_exceptions.PermissionDenied: "permission_denied",
    django_exceptions.BadRequest: "bad_request",
    django_exceptions.SuspiciousOperation: "bad_request",
    django_exceptions.RequestDataTooBig: "body_too_large",
    # Timeouts of pool, statement and lock, deadlocks, lost connections: all of them pass, and nothing was written.
    django.db.OperationalError: "database_unavailable",
    django.db.InterfaceError: "database_unavailable",
    psycopg.OperationalError: "database_unavailable",
    psycopg.InterfaceError: "database_unavailable",
    # Django takes it for an InternalError, as it does a statement after a failed one, which is our mistake.
    psycopg.errors.IdleInTransactionSessionTimeout: "database_unavailable",
}

# What a foreign error's own words would tell is for us, not for the client.
DETAIL: dict[str, str] = {
    "malformed_json": "The body can't be read as JSON.",
    "bad_request": "The request can't be read; check its host, path and headers.",
    "not_authenticated": "Send an access token, or sign the request.",
    "token_invalid": "The token isn't valid; get a new one.",
    "permission_denied": "You are known, but this isn't yours to do.",
    "not_found": "There is nothing here that you can see.",
    "method_not_allowed": "This path doesn't take that method; the Allow header names those that it takes.",
    "body_too_large": "The body is larger than any endpoint takes.",
    "unsupported_media_type": "Send the body as application/json, in UTF-8 and not compressed.",
    "rate_limited": "Too many requests; wait, then try again.",
    "internal_error": "Something failed on our side. Tell us the request_id, and we can find it.",
    "database_unavailable": "The database is busy or away; repeat the request, with the same key if it has one.",
}

# For answers that come from outside our views, such as a bare 405 of Django's.
CODE_OF_STATUS = {401: "not_authenticated", 403: "permission_denied", 404: "not_found", 405: "method_not_allowed"} | {
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One RFC 9457 problem, before it is put on the wire."""

    code: str
    detail: str
    title: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    own_status: int | None = None

    @classmethod
    def told_by(cls, error: Any) -> Self:
        """The problem of one of the product's own errors: what it says of itself."""
        data, headers = getattr(error, "data", {}), getattr(error, "headers", {})
        own_status = STATUS_OF.get(type(error))
        return cls(
            code=error.code, title=error.title, detail=str(error), data=data, headers=headers, own_status=own_status
        )

    @property
    def status(self) -> int:
        return self.own_status or STATUS[self.code]

    def document(self) -> dict[str, Any]:
        """The members, the standard ones first and never overwritten by `data`."""
        own = {
            "type": settings.PROBLEM_BASE + self.code,
            "title": self.title or self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "request_id": request_id.get(),
        }
        return own | dict(self.data) | own

    def response(self) -> HttpResponse:
        """The answer, whole: it needs no renderer, so it is the same from a view and from a middleware."""
        response = HttpResponse(
            msgspec.json.encode(self.document()), status=self.status, content_type="application/problem+json"
        )
        metrics.problem(self.code)
        if self.status == 401:
            response["WWW-Authenticate"] = "Bearer"
        if self.code in RETRY_AFTER:
            response["Retry-After"] = str(RETRY_AFTER[self.code])
        for name, value in self.headers.items():
            response[name] = value
        return response


def problem_of(error: BaseException) -> Problem | None:
    """The problem that tells of `error`, or None for a defect of ours."""
    code = getattr(error, "code", None)
    if isinstance(code, str) and code in STATUS and hasattr(error, "title"):
        return Problem.told_by(error)
    return next((_foreign(FOREIGN[kind]) for kind in _kinds(error) if kind in FOREIGN), None)


def _kinds(error: BaseException) -> tuple[type, ...]:
    """What it is an instance of, nearest first, and for the database's what the driver called it."""
    driver = error.__cause__ if isinstance(error, django.db.Error) else None
    return type(error).__mro__ + type(driver).__mro__


def answer(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's exception handler. None for a defect: Django then logs the traceback, and handler500 answers."""
    problem = problem_of(error)
    if problem is None:
        return None
    if problem.code == "database_unavailable":
        logger.warning("The database is unavailable", exc_info=error)
    if problem.status == 401 and (request := context.get("request")) is not None:
        problem = _unless_too_many(problem, request)
    return problem.response()


def _unless_too_many(problem: Problem, request: HttpRequest) -> Problem:
    """A refused authentication counts against its address, which otherwise only answered calls do."""
    try:
        count_failed_authentication(request)
    except RateLimited as limit:
        return Problem.told_by(limit)
    return problem


def _foreign(code: str) -> Problem:
    return Problem(code=code, detail=DETAIL[code])


class ProblemMiddleware:
    """Turns every error that no API view has answered into a problem; the admin keeps its pages."""

    kept = ("Allow", "Retry-After", "WWW-Authenticate")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_admin(request):
            return self.get_response(request)
        # No text of PostgreSQL's can hold it, and no parameter of ours does.
        if "%00" in request.META.get("QUERY_STRING", ""):
            return Problem.told_by(ValidationError.on("", "invalid", "The query contains NUL.")).response()
        response = self.get_response(request)
        return response if response.status_code < 400 else self._as_problem(response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return None if is_admin(request) else answer(exception, {"request": request})

    def _as_problem(self, response: HttpResponse) -> HttpResponse:
        kind = response.get("Content-Type", "")
        if kind.startswith("application/problem+json"):
            return response
        if kind.startswith("application/json"):
            # A view's own document of an error, such as a stored refusal: only its label is missing.
            response["Content-Type"] = "application/problem+json"
            return response
        fallback = "internal_error" if response.status_code >= 500 else "bad_request"
        problem = _foreign(CODE_OF_STATUS.get(response.status_code, fallback)).response()
        for name in self.kept:
            if name in response:
                problem[name] = response[name]
        return problem


def _handle(
    code: str,
    page: Callable[..., HttpResponse],
    request: HttpRequest,
    exception: Exception | None = None,
) -> HttpResponse:
    """What Django calls for errors outside of views: unknown paths, bad hosts, defects."""
    if is_admin(request):
        return page(request) if exception is None else page(request, exception)
    problem = None if exception is None else problem_of(exception)
    return (problem or _foreign(code)).response()


handler400 = partial(_handle, "bad_request", defaults.bad_request)
handler403 = partial(_handle, "permission_denied", defaults.permission_denied)
handler404 = partial(_handle, "not_found", defaults.page_not_found)
handler500 = partial(_handle, "internal_error", defaults.server_error)
