"""Who owns which wallet. What is in it stands in the ledger, in the account that the wallet names."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class Wallet(models.Model):
    """A named place for money of one currency. Its owner's first in a currency is where transfers to them go."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        FROZEN = "frozen"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="wallets")
    name = models.CharField(max_length=200, blank=True)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=6, choices=Status, default=Status.ACTIVE)
    is_default = models.BooleanField(default=False)
    account = models.OneToOneField("ledger.Account", models.PROTECT, related_name="+")
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("owner", "currency", name="wallets_one_default", condition=Q(is_default=True)),
            models.CheckConstraint(
                name="wallets_wallet_status", condition=Q(status__in=("active", "frozen", "closed"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'Wallet'} {self.currency}"


class Member(models.Model):
    """A person who may look at a wallet (viewer), spend from it (spender), or do anything with it (owner)."""

    class Role(models.TextChoices):
        OWNER = "owner"
        SPENDER = "spender"
        VIEWER = "viewer"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=7, choices=Role)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("wallet", "user", name="wallets_member_once"),
            models.CheckConstraint(name="wallets_member_role", condition=Q(role__in=("owner", "spender", "viewer"))),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role}"
