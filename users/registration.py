"""Becoming a user, and changing one's own name."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from users import audit
from users.callers import Caller
from users.models import User
from users.permissions import PermissionDenied
from users.validation import FieldError, ValidationError


class RegistrationClosed(PermissionDenied):
    """This installation lets nobody register themselves."""

    def __init__(self) -> None:
        super().__init__("Registration is switched off here; ask the operator for an account.")


def register(*, email: str, password: str, full_name: str = "", now: datetime) -> User:
    """Make a user; raises RegistrationClosed, or ValidationError for a bad or taken email or a weak password."""
    if not settings.REGISTRATION_ENABLED:
        raise RegistrationClosed
    user = User(email=email.lower(), full_name=full_name, date_joined=now)
    _check(user, password)
    user.set_password(password)
    try:
        with transaction.atomic(durable=True):
            user.save(force_insert=True)
            audit.record(actor=user, action="user.registered", kind="user", object_id=user.pk, now=now)
    except IntegrityError as error:
        raise ValidationError.on("email", "taken", "An account with this email exists already; log in.") from error
    return user


def rename(*, caller: Caller, full_name: str, now: datetime) -> None:
    """Change the caller's own full name."""
    with transaction.atomic(durable=True):
        User.objects.filter(pk=caller.id).update(full_name=full_name)
        audit.record(actor=caller, action="user.renamed", kind="user", object_id=caller.id, now=now)


def _check(user: User, password: str) -> None:
    errors: list[FieldError] = []
    try:
        # A domain beyond ASCII has a spelling within it (punycode), and one spelling is enough to be unique by.
        validate_email(user.email if user.email.isascii() else "")
    except DjangoValidationError:
        errors.append(FieldError(field="email", code="invalid", detail="Write an email address, in ASCII."))
    try:
        validate_password(password, user)
    except DjangoValidationError as error:
        errors += [FieldError(field="password", code="invalid", detail=message) for message in error.messages]
    if errors:
        raise ValidationError(errors)
