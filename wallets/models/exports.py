"""Files that somebody asked for and a worker makes."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class Export(models.Model):
    """A report as a file, too long to wait for: asked for, made by a worker, kept for some days, then let go."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    report = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    format = models.CharField(max_length=4)
    parameters = models.JSONField(default=dict)
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    lines = models.BigIntegerField(default=0, help_text="How many lines are written so far.")
    size = models.BigIntegerField(null=True, help_text="In bytes, once it is done.")
    detail = models.CharField(max_length=500, blank=True, default="", help_text="Why it failed.")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True, help_text="When a worker shall take it, or its maker is given up.")
    lease = models.IntegerField(default=0, help_text="Counts the claims: an older worker's file is refused by it.")

    class Meta:
        permissions: ClassVar = [("run_report", "Can run reports and have them as files")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_export_state",
                condition=Q(status__in=("waiting", "running"), next_at__isnull=False)
                | Q(status__in=("done", "failed", "expired"), next_at__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index("next_at", name="wallets_export_due", condition=Q(next_at__isnull=False)),
            models.Index("finished_at", name="wallets_export_kept", condition=Q(status="done")),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def name(self) -> str:
        """What its file is called where it is kept."""
        return f"{self.pk}.{self.format}"
