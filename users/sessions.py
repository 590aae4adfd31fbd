"""Logging in, staying in, logging out."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from users import audit, second_factor, tokens
from users.callers import NotAuthenticated
from users.models import User
from users.tokens import Pair


class WrongCredentials(NotAuthenticated):
    """The email and password don't match, whether or not the account exists."""

    def __init__(self) -> None:
        super().__init__("The email and the password don't match an account.")


def log_in(*, email: str, password: str, now: datetime) -> Pair:
    """Check the password and start a session; raises WrongCredentials, after the same time in every case."""
    user = _check(email=email, password=password)
    with transaction.atomic(durable=True):
        User.objects.filter(pk=user.pk).update(last_login=now)
        pair = tokens.start_family(user_id=user.pk, is_staff=second_factor.is_staff_by_password(user), now=now)
        audit.record(actor=user, action="session.started", kind="user", object_id=user.pk, now=now)
    return pair


def refresh(*, token: str, now: datetime) -> Pair:
    """Trade a refresh token for a new pair, once; raises TokenInvalid."""
    return tokens.rotate(token, now=now)


def log_out(*, token: str, now: datetime) -> None:
    """End the session that the refresh token belongs to; raises TokenInvalid."""
    tokens.end_family(token, now=now)


def _check(*, email: str, password: str) -> User:
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        # Hash anyway, so that the clock doesn't tell who has an account.
        make_password(password)
        raise WrongCredentials
    if not user.check_password(password) or not user.is_active:
        raise WrongCredentials
    return user
