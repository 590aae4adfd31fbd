"""One id for each request, from the client or made here, on every answer and in every log line and audit row."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from uuid_utils import uuid7

from users.context import request_id

_is_acceptable = re.compile(r"[A-Za-z0-9_.:-]{1,128}").fullmatch


class RequestIdMiddleware:
    """Sets `users.context.request_id` for the request and `X-Request-ID` on its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        chosen = given if _is_acceptable(given) else str(uuid7())
        token = request_id.set(chosen)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = chosen
        return response
