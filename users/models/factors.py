import secrets
from base64 import b32encode
from time import time
from typing import ClassVar

from django.conf import settings
from django.db import models
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP
from uuid_utils.compat import uuid7

from users.encryption import decrypt, encrypt

STEP_SECONDS = 30
DIGITS = 6


class Authenticator(ThrottlingMixin, Device):
    """An app that shows a new code every 30 seconds (RFC 6238). Its secret is encrypted, and each code serves once.

    After a wrong code the next is looked at a second later, then after two, four, eight …
    """

    secret = models.BinaryField()
    last_step = models.BigIntegerField(default=-1, help_text="The step of the code that served last.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("user",), condition=models.Q(confirmed=True), name="users_one_authenticator"
            ),
        ]

    @classmethod
    def fresh(cls, user: models.Model) -> "Authenticator":
        """One with a secret of its own, which isn't confirmed yet."""
        return cls(user=user, name="authenticator", confirmed=False, secret=encrypt(secrets.token_hex(20)))

    @property
    def key(self) -> bytes:
        """The secret itself: for the app, and for nobody else."""
        return bytes.fromhex(decrypt(self.secret))

    @property
    def written(self) -> str:
        """The secret as a person types it into an app."""
        return b32encode(self.key).decode()

    def get_throttle_factor(self) -> int:
        return 1

    def verify_token(self, token: str) -> bool:
        """Whether this is the code of now, of half a minute ago or of the next; what served before isn't."""
        allowed, _why = self.verify_is_allowed()
        if not allowed or not (token.isascii() and token.isdigit() and len(token) == DIGITS):
            return False
        totp = TOTP(self.key, step=STEP_SECONDS, digits=DIGITS)
        totp.time = time()
        right = totp.verify(int(token), tolerance=1, min_t=self.last_step + 1)
        unused = type(self).objects.filter(pk=self.pk, last_step__lt=totp.t())
        if right and unused.update(last_step=totp.t()):
            self.last_step = totp.t()
            self.throttle_reset()
            return True
        self.throttle_increment()
        return False


class RecoveryCode(models.Model):
    """A code for whoever has lost their authenticator, which serves once. Only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes")
    digest = models.BinaryField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=("user", "digest"), name="users_recovery_code_once")]

    def __str__(self) -> str:
        return f"A recovery code of {self.user}"


class StaffSession(models.Model):
    """Somebody of the staff at work in one browser, so that their sessions can be counted and ended."""

    session_key = models.CharField(primary_key=True, max_length=40)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff_sessions")
    started_at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True, default="")
    browser = models.CharField(max_length=255, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.user} since {self.started_at:%d %b %H:%M} UTC"
