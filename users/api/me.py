"""The person who is calling, to themselves."""

import msgspec
from django.utils import timezone
from msgspec import UNSET, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users import registration
from users.api import wire
from users.api.auth import Profile
from users.api.schema import operation
from users.authentication import caller_of
from users.callers import Caller
from users.models import User
from users.permissions import require_person
from users.tokens import TokenInvalid


class ProfileChange(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What may change about a person by their own hand."""

    full_name: wire.Text | UnsetType = UNSET


class MeView(APIView):
    @operation(summary="Who I am", answers={200: Profile}, tags=("auth",), errors=(401, 403, 429, 503))
    def get(self, request: Request) -> Response:
        caller = _person(request)
        return Response(_profile(caller))

    @operation(
        summary="Change my name",
        body=ProfileChange,
        answers={200: Profile},
        tags=("auth",),
        errors=(400, 401, 403, 413, 415, 429, 503),
    )
    def patch(self, request: Request) -> Response:
        caller = _person(request)
        body = wire.read(request, ProfileChange)
        if body.full_name is not UNSET:
            registration.rename(caller=caller, full_name=body.full_name, now=timezone.now())
        return Response(_profile(caller))


def _person(request: Request) -> Caller:
    caller = caller_of(request)
    require_person(caller)
    return caller


def _profile(caller: Caller) -> Profile:
    user = User.objects.filter(pk=caller.id).only("email", "full_name").first()
    if user is None:
        # The account went while its last access token lived on.
        raise TokenInvalid
    return Profile(id=user.pk, email=user.email, full_name=user.full_name)
