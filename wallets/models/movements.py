"""Money in and across: what was asked for, by whom, and the ledger's transaction that did it.

The references to wallets and transactions are kept by code, not by foreign keys: neither is ever deleted, and the
checks would cost a batch of ten thousand more than its rows do.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from uuid_utils.compat import uuid7

from wallets.models.wallets import Wallet


class Movement(models.Model):
    """What deposits and transfers share. `amount` is in minor units of `currency`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=9, default="completed")
    transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    reference = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    metadata = models.JSONField(default=dict, blank=True)
    created_by = models.CharField(max_length=50, help_text="person:<id> or service:<id>")
    created_at = models.DateTimeField()

    class Meta:
        abstract = True


class Deposit(Movement):
    """Money that came in, to be spent from `release_at` on."""

    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="deposits", db_constraint=False)
    release_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Deposit {self.id}"


class Transfer(Movement):
    """Money from one wallet to another: moved at once, or queued for a worker, which is due at `next_at`."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        COMPLETED = "completed"
        FAILED = "failed"
        # A worker can't make it, and a person must say what becomes of it. For its client it is still queued.
        SET_ASIDE = "set_aside"

    status = models.CharField(max_length=9, choices=Status, default=Status.COMPLETED)
    source = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    destination = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    next_at = models.DateTimeField(null=True, help_text="When a worker shall look at it; null once it has ended.")
    tries = models.SmallIntegerField(db_default=0, help_text="How often it had to be put off.")
    deaths = models.SmallIntegerField(db_default=0, help_text="How many workers died that were at it.")
    trouble = models.CharField(max_length=500, blank=True, db_default="", help_text="What kept a worker from it.")
    failure = models.JSONField(null=True, help_text="Why it failed, as its client is told.")

    class Meta:
        # Nothing but what waits is in them: a transfer that is made at once costs nothing there.
        indexes: ClassVar = [
            models.Index("next_at", "id", name="wallets_transfer_due", condition=models.Q(next_at__isnull=False)),
            models.Index("id", name="wallets_transfer_set_aside", condition=models.Q(status="set_aside")),
        ]
        permissions: ClassVar = [("rescue_transfer", "Can say what becomes of a transfer that was set aside")]

    def __str__(self) -> str:
        return f"Transfer {self.id}"


class DrainBatch(models.Model):
    """Queued transfers that a worker is at: gone when it is done, left where it dies, which its connection tells."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    transfers = ArrayField(models.UUIDField())
    begun_at = models.DateTimeField()
    backend = models.IntegerField(help_text="The process of the database that serves it, and since when.")
    backend_since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{len(self.transfers)} transfers"


class IdempotencyKey(models.Model):
    """A caller's key and what it did: written in the transaction of the effect, kept for ever, its body for a time."""

    pk = models.CompositePrimaryKey("caller", "key")
    caller = models.CharField(max_length=50)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField()
    status = models.SmallIntegerField()
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index("created_at", name="wallets_idempotency_body", condition=models.Q(body__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
