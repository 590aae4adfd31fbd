"""Below what of a wallet's current balance or runway somebody shall hear of it, and when it was."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from wallets.models.usage import amount_field
from wallets.models.wallets import Wallet


class UsageThreshold(models.Model):
    """Below what of a wallet's current balance, or of its runway, somebody shall hear of it."""

    class Kind(models.TextChoices):
        CURRENT = "current", "Current balance"
        RUNWAY = "runway", "Runway"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="usage_thresholds", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    below = models.BigIntegerField(help_text="An alert opens below it: minor units, or hours of runway.")
    clears_at = models.BigIntegerField(help_text="It closes from here on; higher, so that one that wavers is one.")
    set_by = models.CharField(max_length=60)
    created_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [("watch_usage", "Can set thresholds of usage, and look after automatic top-ups")]
        constraints: ClassVar = [
            models.UniqueConstraint("wallet", "kind", "below", name="wallets_usage_threshold_once"),
            models.CheckConstraint(name="wallets_usage_threshold_clears", condition=Q(clears_at__gt=F("below"))),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} below {self.below:,}"


class UsageAlert(models.Model):
    """A wallet's current balance, or its runway, is below a threshold. One is open for a threshold at most."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    threshold = models.ForeignKey(
        UsageThreshold, models.SET_NULL, null=True, related_name="alerts", db_index=False,
        help_text="Null once it was removed.",
    )  # fmt: skip
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=7, choices=UsageThreshold.Kind)
    below = models.BigIntegerField(help_text="The threshold when it was opened.")
    figure = amount_field(help_text="What it was when it was opened: minor units, or hours.")
    latest = amount_field()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "threshold", name="wallets_usage_alert_one_open", condition=Q(closed_at__isnull=True)
            ),
        ]
        indexes: ClassVar = [
            models.Index("wallet", "id", name="wallets_usage_alert_newest"),
            models.Index("opened_at", name="wallets_usage_alert_unmailed", condition=Q(mailed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} below {self.below:,} since {self.opened_at:%Y-%m-%d %H:%M}"
