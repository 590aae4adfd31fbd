"""The second factor of staff: an authenticator app, and recovery codes for whoever has lost it."""

import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction

from users import audit
from users.callers import Actor
from users.encryption import digest
from users.models import Authenticator, RecoveryCode, User

CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def authenticator_of(user: User) -> Authenticator | None:
    """The authenticator that a person has confirmed."""
    return Authenticator.objects.filter(user=user, confirmed=True).first()


def is_staff_by_password(user: User) -> bool:
    """Whether a password alone makes somebody staff. Where a second factor is due, the API knows them as a person."""
    return user.is_staff and not settings.SECOND_FACTOR_REQUIRED and authenticator_of(user) is None


@transaction.atomic
def begin(user: User) -> Authenticator:
    """The authenticator that a person is about to set up, the same until it is confirmed."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    found = Authenticator.objects.filter(user=user, confirmed=False).first()
    if found is None:
        found = Authenticator.fresh(user)
        found.save()
    return found


def address_of(authenticator: Authenticator, issuer: str) -> str:
    """What the app reads from the picture: an otpauth URI, as Google Authenticator's key URI format has it."""
    label = quote(f"{issuer}:{authenticator.user.get_username()}")
    return f"otpauth://totp/{label}?{urlencode({'secret': authenticator.written, 'issuer': issuer})}"


def confirm(user: User, code: str, *, now: datetime) -> list[str] | None:
    """Take the authenticator into use where the code is right; returns the recovery codes, or None where it isn't."""
    found = Authenticator.objects.filter(user=user, confirmed=False).first()
    if found is None or not found.verify_token(code):
        return None
    with transaction.atomic():
        # Whoever confirms two at once keeps the first.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if authenticator_of(user) is not None:
            return None
        Authenticator.objects.filter(pk=found.pk).update(confirmed=True)
        codes = _new_codes(user)
        audit.record(actor=user, action="second_factor.set_up", kind="user", object_id=user.pk, now=now)
    return codes


def check(user: User, code: str, *, now: datetime) -> Authenticator | None:
    """The person's authenticator, where this is its code or a recovery code that hasn't served."""
    found = authenticator_of(user)
    if found is None:
        return None
    code = code.strip().lower().replace(" ", "")
    if found.verify_token(code) or _recover(user, code, now):
        return found
    return None


@transaction.atomic
def reset(user: User, *, actor: Actor, now: datetime) -> None:
    """Forget a person's authenticator and recovery codes: for whoever has lost both."""
    Authenticator.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    audit.record(actor=actor, action="second_factor.reset", kind="user", object_id=user.pk, now=now)


def _new_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(CODES)]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, digest=digest(code)) for code in codes])
    return codes


@transaction.atomic
def _recover(user: User, code: str, now: datetime) -> bool:
    """Whether it is a recovery code, which has served now; there are too many to guess one."""
    if not RecoveryCode.objects.filter(user=user, digest=digest(code), used_at=None).update(used_at=now):
        return False
    audit.record(actor=user, action="second_factor.recovered", kind="user", object_id=user.pk, now=now)
    return True
