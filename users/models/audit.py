from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from uuid_utils.compat import uuid7


class AuditEvent(models.Model):
    """Who did what to which object, and when. Append-only: triggers refuse everything but INSERT, and that on closed
    days too.
    """

    class ActorKind(models.TextChoices):
        PERSON = "person"
        SERVICE = "service"
        STAFF = "staff"
        SYSTEM = "system"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10, choices=ActorKind)
    actor_id = models.CharField(max_length=100)
    action = models.CharField(max_length=100)
    object_kind = models.CharField(max_length=50)
    object_id = models.CharField(max_length=100)
    request_id = models.CharField(max_length=128, blank=True, default="")
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=("object_kind", "object_id", "id"), name="users_audit_object"),
            models.Index(fields=("actor_kind", "actor_id", "id"), name="users_audit_actor"),
            BrinIndex(fields=("at",), name="users_audit_by_day", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.actor_kind}:{self.actor_id} {self.action} {self.object_kind}:{self.object_id}"
