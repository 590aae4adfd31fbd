"""When the books were proven, and what was found. Append-only."""

from typing import ClassVar

from django.db import models
from uuid_utils.compat import uuid7


class Verification(models.Model):
    """One run of all checks over all rows."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    started_at = models.DateTimeField()
    took = models.DurationField()
    rows = models.JSONField(help_text="How many rows of each table were proven.")
    broken = models.IntegerField(help_text="How many offenders were found.")
    report = models.JSONField(help_text="The first of them, in words.")
    head = models.CharField(max_length=80, blank=True, help_text="The newest seal that was checked.")

    class Meta:
        indexes: ClassVar = [models.Index("started_at", name="ledger_verification_newest")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}: {self.broken or 'clean'}"
