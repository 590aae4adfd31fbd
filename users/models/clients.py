from django.contrib.postgres.fields import ArrayField
from django.db import models
from uuid_utils.compat import uuid7


class ApiClient(models.Model):
    """A service that calls us, and what it may do."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100, unique=True)
    scopes = ArrayField(models.CharField(max_length=50), default=list)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ApiSecret(models.Model):
    """A secret with which a client signs. Encrypted at rest, shown once, never changed: only revoked."""

    key_id = models.CharField(primary_key=True, max_length=64)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="secrets")
    secret = models.BinaryField()
    slot = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Two slots, each with one live secret at most: room for a rotation and no more.
            models.CheckConstraint(condition=models.Q(slot__in=(1, 2)), name="users_apisecret_two_slots"),
            models.UniqueConstraint(
                fields=("client", "slot"),
                condition=models.Q(revoked_at__isnull=True),
                name="users_apisecret_one_live_a_slot",
            ),
        ]

    def __str__(self) -> str:
        return self.key_id


class SignatureNonce(models.Model):
    """A nonce that has served, kept for as long as the signature that carried it would still be young enough."""

    pk = models.CompositePrimaryKey("key_id", "nonce")
    key_id = models.CharField(max_length=64)
    nonce = models.CharField(max_length=128)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key_id}/{self.nonce}"
