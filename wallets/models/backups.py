"""When the database was saved, where to, and whether that was restored since, to see that it can be."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class Backup(models.Model):
    """One backup of the whole server. Of one that was interrupted only its beginning is known."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    folder = models.CharField(max_length=500, help_text="Where it is; until it has ended, where all of them are.")
    server_version = models.CharField(max_length=60)
    size = models.BigIntegerField(null=True, help_text="In bytes, as it is kept: compressed.")
    wal_position = models.CharField(
        "WAL position", max_length=20, blank=True, default="", help_text="From where in the WAL on it is whole."
    )
    verified = models.BooleanField(default=False, help_text="Every file was read again, and is as its manifest says.")
    trouble = models.CharField(max_length=1000, blank=True, default="", help_text="Why it failed.")
    rehearsed_at = models.DateTimeField(null=True, help_text="When it was last restored, and its books found clean.")
    removed_at = models.DateTimeField(null=True, help_text="When it made room for newer ones.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_backup_verified",
                condition=Q(verified=False) | Q(ended_at__isnull=False, size__isnull=False, trouble=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @property
    def state(self) -> str:
        """How it stands, in one word."""
        if self.removed_at:
            return "removed"
        if self.verified:
            return "verified"
        return "failed" if self.trouble else "unfinished"
