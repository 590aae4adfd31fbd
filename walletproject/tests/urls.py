"""Views that do as little as a view can, each to see one thing of what is around it."""

from uuid import UUID

import django.db
import psycopg.errors
from django.contrib import admin
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404, HttpResponse
from django.urls import path
from django.views.decorators.http import require_POST
from psycopg_pool import PoolTimeout
from rest_framework import exceptions as drf
from rest_framework.authentication import BaseAuthentication
from rest_framework.response import Response
from rest_framework.views import APIView

from users.callers import Caller, NotAuthenticated
from users.permissions import PermissionDenied
from users.validation import ValidationError
from walletproject import health
from walletproject.errors import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

ALICE = UUID("01980000-0000-7000-8000-000000000001")


class TokenInvalid(NotAuthenticated):
    code = "token_invalid"


class QueueFull(Exception):
    code = "queue_full"
    title = "Queue full"


class InsufficientFunds(Exception):
    code = "insufficient_funds"
    title = "Insufficient funds"
    data = {"available": 500, "status": "not yours to overwrite"}


ERRORS = {
    "queue_full": QueueFull("Later."),
    "insufficient_funds": InsufficientFunds("The wallet has 500 available; 1000 were asked for."),
    "validation": ValidationError.on("amount", "out_of_range", "Must be at least 1."),
    "many": ValidationError(
        [{"field": f"transfers.{n}.amount", "code": "out_of_range", "detail": "Must be at least 1."} for n in range(20)]
    ),
    "users_permission": PermissionDenied("This needs a scope."),
    "django_404": Http404("No Wallet matches the given query: secret"),
    "django_403": DjangoPermissionDenied("secret"),
    "bad_request": BadRequest("secret"),
    "suspicious": SuspiciousOperation("secret"),
    "too_big": RequestDataTooBig("secret"),
    "drf_404": drf.NotFound(),
    "drf_403": drf.PermissionDenied(),
    "drf_parse": drf.ParseError("secret"),
    "drf_throttled": drf.Throttled(3),
    "operational": django.db.OperationalError("secret host"),
    "interface": django.db.InterfaceError("secret"),
    "pool": PoolTimeout("secret"),
    "canceled": psycopg.errors.QueryCanceled("secret"),
    "lock": psycopg.errors.LockNotAvailable("secret"),
    "serialization": psycopg.errors.SerializationFailure("secret"),
    "defect": ZeroDivisionError("secret"),
    "programming": django.db.ProgrammingError("secret"),
    "lookalike": type("Lookalike", (Exception,), {"code": "not_found"})("secret: no title, so not one of ours"),
}


class ByHeader(BaseAuthentication):
    """Believes the header, so that a test says in one word who calls."""

    def authenticate(self, request):
        kind = request.headers.get("X-Caller")
        if kind == "forged":
            raise TokenInvalid("The token isn't ours.")
        return (Caller(kind=kind, id=ALICE), None) if kind else None


class Empty(APIView):
    authentication_classes = [ByHeader]

    def get(self, request):
        return Response(None, status=204)


class Echo(APIView):
    authentication_classes = [ByHeader]

    def post(self, request):
        return Response({"got": request.data, "kinds": [type(value).__name__ for value in request.data.values()]})


class BatchEcho(Echo):
    body_limit = 5 * 1024 * 1024


class Login(APIView):
    authentication_classes = []
    permission_classes = []
    throttle_scope = "login"

    def post(self, request):
        return Response({})


class Open(APIView):
    authentication_classes = []
    permission_classes = []

    def get(self, request):
        return Response({"text": "enough to be worth compressing " * 20})


class Raises(APIView):
    authentication_classes = [ByHeader]

    def get(self, request, name):
        raise ERRORS[name]


class OwnRefusal(APIView):
    authentication_classes = [ByHeader]

    def get(self, request):
        return Response({"code": "insufficient_funds", "stored": True}, status=422)


def raises_outside_drf(request, name):
    raise ERRORS[name]


@require_POST
def only_post(request):
    return HttpResponse("")


urlpatterns = [
    path("empty", Empty.as_view()),
    path("echo", Echo.as_view()),
    path("batch", BatchEcho.as_view()),
    path("login", Login.as_view()),
    path("open", Open.as_view()),
    path("raises/<name>", Raises.as_view()),
    path("plain/<name>", raises_outside_drf),
    path("own-refusal", OwnRefusal.as_view()),
    path("only-post", only_post),
    path("admin/plain", only_post),
    path("admin/", admin.site.urls),
    path("health", health.alive),
    path("health/ready", health.ready),
]
