"""Registering, logging in, staying in, logging out."""

from typing import Annotated
from uuid import UUID

import msgspec
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users import registration, sessions
from users.api import wire
from users.api.schema import operation

_TAGS = ("auth",)
Password = Annotated[str, Meta(min_length=1, max_length=256)]
Token = Annotated[str, Meta(min_length=1, max_length=4096)]
Email = Annotated[str, Meta(min_length=3, max_length=254, description="Its case doesn't matter.")]


class Registration(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Who wants an account."""

    email: Email
    password: Password
    full_name: wire.Text = ""

    def __repr__(self) -> str:
        return f"Registration({self.email!r})"


class Credentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Email and password."""

    email: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=256)]

    def __repr__(self) -> str:
        return f"Credentials({self.email!r})"


class RefreshRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A refresh token."""

    refresh: Token

    def __repr__(self) -> str:
        return "RefreshRequest()"


class TokenPair(msgspec.Struct, frozen=True, kw_only=True):
    """An access token for five minutes, and the refresh token that gets the next pair, once."""

    access: str
    refresh: str

    def __repr__(self) -> str:
        return "TokenPair()"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A person."""

    id: UUID
    email: str
    full_name: str


class PublicView(APIView):
    """A door for those who have no token yet. `throttle_scope` asks for the strict limit of log ins."""

    authentication_classes = ()
    permission_classes = ()
    throttle_scope = "login"


class RegisterView(PublicView):
    @operation(
        summary="Register",
        body=Registration,
        answers={201: Profile},
        tags=_TAGS,
        errors=(400, 403, 413, 415, 429, 503),
    )
    def post(self, request: Request) -> Response:
        body = wire.read(request, Registration)
        user = registration.register(
            email=body.email, password=body.password, full_name=body.full_name, now=timezone.now()
        )
        return Response(Profile(id=user.pk, email=user.email, full_name=user.full_name), status=201)


class TokenView(PublicView):
    @operation(
        summary="Log in",
        body=Credentials,
        answers={200: TokenPair},
        tags=_TAGS,
        errors=(400, 401, 413, 415, 429, 503),
    )
    def post(self, request: Request) -> Response:
        body = wire.read(request, Credentials)
        pair = sessions.log_in(email=body.email, password=body.password, now=timezone.now())
        return Response(TokenPair(access=pair.access, refresh=pair.refresh))


class RefreshView(PublicView):
    @operation(
        summary="Trade a refresh token for a new pair, once",
        body=RefreshRequest,
        answers={200: TokenPair},
        tags=_TAGS,
        errors=(400, 401, 413, 415, 429, 503),
    )
    def post(self, request: Request) -> Response:
        body = wire.read(request, RefreshRequest)
        pair = sessions.refresh(token=body.refresh, now=timezone.now())
        return Response(TokenPair(access=pair.access, refresh=pair.refresh))


class LogoutView(PublicView):
    @operation(
        summary="Log out",
        body=RefreshRequest,
        answers={204: None},
        tags=_TAGS,
        errors=(400, 401, 413, 415, 429, 503),
    )
    def post(self, request: Request) -> Response:
        body = wire.read(request, RefreshRequest)
        sessions.log_out(token=body.refresh, now=timezone.now())
        return Response(status=204)
