"""JSON Web Tokens for people: an access token that needs no database, and a refresh token that serves once."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, NamedTuple
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from django.db import connection, transaction

from users import audit
from users.callers import Caller, NotAuthenticated, System
from users.models import RefreshToken

_ALGORITHM = "HS256"
# Times are compared with the `now` that we are given, so PyJWT is told to leave them alone.
_OPTIONS: Any = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "require": ["sub", "typ", "jti", "fam", "iat", "exp"],
}

# One statement decides: of any number of requests with the same token, one finds it unused.
_USE = """
    UPDATE users_refreshtoken AS token
    SET used_at = %(now)s
    FROM users_user AS person
    WHERE token.jti = %(jti)s AND token.used_at IS NULL AND token.revoked_at IS NULL
      AND person.id = token.user_id AND person.is_active
    RETURNING person.id, person.is_staff AND NOT %(two_factors)s
        AND NOT EXISTS (SELECT FROM users_authenticator a WHERE a.user_id = person.id AND a.confirmed)
"""

Kind = Literal["access", "refresh"]


class TokenInvalid(NotAuthenticated):
    """The token is forged, expired, used, revoked, or of the other kind."""

    code: ClassVar[str] = "token_invalid"
    title: ClassVar[str] = "Token invalid"

    def __init__(self, detail: str = "The token isn't valid any more, or never was; log in again.") -> None:
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Pair:
    """What a client holds after it has logged in."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


class Claims(NamedTuple):
    """What one of our tokens says, once its signature and its age are known to be good."""

    user_id: UUID
    jti: UUID
    family: UUID
    is_staff: bool


def start_family(*, user_id: UUID, is_staff: bool, now: datetime) -> Pair:
    """Issue the first pair after somebody has logged in. Needs an open transaction."""
    return _issue(user_id=user_id, is_staff=is_staff, family=uuid4(), now=now)


def authenticate(access: str, *, now: datetime) -> Caller:
    """Who an access token speaks for, without a query; raises TokenInvalid."""
    claims = _read(access, "access", now=now)
    return Caller(kind="person", id=claims.user_id, is_staff=claims.is_staff)


def rotate(refresh: str, *, now: datetime) -> Pair:
    """Trade a refresh token for a new pair, once; raises TokenInvalid.

    A second use ends the whole family, and is committed although the answer is a refusal: either the owner or a
    thief holds a token that the other has used.
    """
    claims = _read(refresh, "refresh", now=now)
    with transaction.atomic(durable=True):
        owner = _use(claims.jti, now=now)
        if owner is not None:
            user_id, is_staff = owner
            return _issue(user_id=user_id, is_staff=is_staff, family=claims.family, now=now)
        if revoke_family(claims.family, now=now):
            guard, data = System("token_reuse"), {"user": claims.user_id}
            audit.record(
                actor=guard, action="session.revoked", kind="session", object_id=claims.family, data=data, now=now
            )
    raise TokenInvalid


def end_family(refresh: str, *, now: datetime) -> None:
    """Log out: nothing that came from the same log in serves any longer; raises TokenInvalid."""
    claims = _read(refresh, "refresh", now=now)
    with transaction.atomic(durable=True):
        if revoke_family(claims.family, now=now):
            person = Caller(kind="person", id=claims.user_id, is_staff=claims.is_staff)
            audit.record(actor=person, action="session.ended", kind="session", object_id=claims.family, now=now)


def revoke_family(family: UUID, *, now: datetime) -> bool:
    """Revoke every token of a family; says whether there was one left to revoke. Needs an open transaction."""
    alive = RefreshToken.objects.filter(family=family, revoked_at__isnull=True)
    revoked = False
    # A rotation under way may insert a child that this UPDATE can't see, but its parent makes the UPDATE wait, and
    # then the next one sees the child. When one finds nothing, nothing is left and nothing can come.
    while alive.update(revoked_at=now):
        revoked = True
    return revoked


def _use(jti: UUID, *, now: datetime) -> tuple[UUID, bool] | None:
    with connection.cursor() as cursor:
        cursor.execute(_USE, {"jti": jti, "now": now, "two_factors": settings.SECOND_FACTOR_REQUIRED})
        row: tuple[UUID, bool] | None = cursor.fetchone()
    return row


def _issue(*, user_id: UUID, is_staff: bool, family: UUID, now: datetime) -> Pair:
    jti, lifetime = uuid4(), timedelta(seconds=settings.JWT_REFRESH_SECONDS)
    RefreshToken.objects.create(jti=jti, family=family, user_id=user_id, expires_at=now + lifetime)
    claims = Claims(user_id=user_id, jti=jti, family=family, is_staff=is_staff)
    return Pair(
        access=_write(claims._replace(jti=uuid4()), "access", settings.JWT_ACCESS_SECONDS, now=now),
        refresh=_write(claims, "refresh", settings.JWT_REFRESH_SECONDS, now=now),
    )


def _write(claims: Claims, kind: Kind, seconds: int, *, now: datetime) -> str:
    issued = int(now.timestamp())
    payload = {
        "sub": str(claims.user_id),
        "typ": kind,
        "jti": str(claims.jti),
        "fam": str(claims.family),
        "iat": issued,
        "exp": issued + seconds,
        "staff": claims.is_staff,
    }
    return jwt.encode(payload, settings.JWT_SIGNING_KEY, algorithm=_ALGORITHM)


def _read(token: str, kind: Kind, *, now: datetime) -> Claims:
    try:
        payload = jwt.decode(token, settings.JWT_SIGNING_KEY, algorithms=[_ALGORITHM], options=_OPTIONS)
        if payload["typ"] != kind or datetime.fromtimestamp(payload["exp"], UTC) <= now:
            raise TokenInvalid
        return Claims(
            user_id=UUID(payload["sub"]),
            jti=UUID(payload["jti"]),
            family=UUID(payload["fam"]),
            is_staff=payload.get("staff") is True,
        )
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise TokenInvalid from error
