"""What providers say that they hold for us: which account a wallet is linked to, every reading, and every alert."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from wallets.models.wallets import Wallet


class ProviderAccount(models.Model):
    """A wallet's account at a provider. The row is the queue: `next_at` says when it is to be read again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="provider_accounts", db_index=False)
    provider = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    external_account_id = models.CharField(max_length=100)
    next_at = models.DateTimeField(help_text="When a worker shall read it again.")
    lease = models.BigIntegerField(default=0, help_text="Counts the claims: an older worker's write is refused by it.")
    failures = models.IntegerField(default=0, help_text="How often the provider hasn't answered since it last did.")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("wallet", "provider", name="wallets_provider_account_once")]
        indexes: ClassVar = [models.Index("next_at", name="wallets_provider_account_due")]

    def __str__(self) -> str:
        return f"{self.external_account_id} of {self.provider}"


class BalanceSnapshot(models.Model):
    """One reading, as it was, and what our books said then; append-only.

    `balance` is what is available there and `total` all of it, both in major units, exact as the provider said them;
    `ledger_balance`, `in_flight` and `drift` are minor units.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="balance_snapshots", db_index=False)
    provider = models.CharField(max_length=32)
    external_account_id = models.CharField(max_length=100)
    external_balance_id = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=30, decimal_places=9)
    total = models.DecimalField(max_digits=30, decimal_places=9)
    ledger_balance = models.BigIntegerField(help_text="What our books say that the provider holds.")
    in_flight = models.BigIntegerField(help_text="Payouts that were sent and aren't settled in our books.")
    drift = models.BigIntegerField(help_text="What neither our books nor payouts in flight explain.")
    metadata = models.JSONField(default=dict, blank=True)
    created_by = models.CharField(max_length=50, help_text="person:<id>, service:<id> or system:<name>")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    as_of = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("created_by", "idempotency_key", name="wallets_snapshot_key_once"),
            models.UniqueConstraint("provider", "external_balance_id", name="wallets_snapshot_reading_once"),
            models.UniqueConstraint("wallet", "as_of", name="wallets_snapshot_moment_once"),
        ]
        indexes: ClassVar = [models.Index("wallet", "id", name="wallets_snapshot_newest")]

    def __str__(self) -> str:
        return f"{self.external_account_id} at {self.as_of:%Y-%m-%d %H:%M:%S}"


class DriftAlert(models.Model):
    """A provider's account and our books differ by more than is allowed. One is open for an account at most."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=32)
    external_account_id = models.CharField(max_length=100)
    currency = models.CharField(max_length=3)
    threshold = models.BigIntegerField(help_text="How much was allowed when it was opened.")
    drift = models.BigIntegerField(help_text="How much it was when it was opened.")
    latest_drift = models.BigIntegerField()
    snapshot = models.ForeignKey(BalanceSnapshot, models.PROTECT, related_name="+", db_index=False)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "provider", "external_account_id", "currency", name="wallets_drift_alert_one_open",
                condition=Q(closed_at__isnull=True),
            ),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index("opened_at", name="wallets_drift_alert_unmailed", condition=Q(mailed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.external_account_id} since {self.opened_at:%Y-%m-%d %H:%M}"
