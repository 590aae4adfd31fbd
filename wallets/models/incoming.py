"""Money in through providers: what people want to pay, what providers told us, and what came unexplained."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from wallets.models.wallets import Wallet


class TopUp(models.Model):
    """Somebody's wish to pay in, committed before the provider hears of it. `next_at` says when a worker shall ask."""

    class Status(models.TextChoices):
        PENDING = "pending"
        COMPLETED = "completed"
        FAILED = "failed"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="top_ups")
    provider = models.CharField(max_length=32)
    reference = models.CharField(max_length=50)
    provider_id = models.CharField(max_length=100, blank=True, default="")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    checkout_url = models.TextField(blank=True, default="")
    opening_until = models.DateTimeField(null=True, blank=True, help_text="Until then a request opens the checkout.")
    payment_id = models.CharField(max_length=100, blank=True, default="", help_text="The payment that completed it.")
    transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False
    )
    failure_code = models.CharField(max_length=64, blank=True, default="")
    failure_detail = models.CharField(max_length=255, blank=True, default="")
    created_by = models.CharField(max_length=50, help_text="person:<id>")
    idempotency_key = models.CharField(max_length=255)
    fingerprint = models.BinaryField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True, help_text="When a worker shall ask; none when it is over.")
    lease = models.BigIntegerField(default=0, help_text="Counts the claims: an older worker's write is refused by it.")
    checks = models.IntegerField(default=0, help_text="How often the provider was asked without a final answer.")

    class Meta:
        verbose_name = "top-up"
        constraints: ClassVar = [
            models.UniqueConstraint("provider", "reference", name="wallets_top_up_reference"),
            models.UniqueConstraint("created_by", "idempotency_key", name="wallets_top_up_key"),
            models.CheckConstraint(
                name="wallets_top_up_status", condition=Q(status__in=("pending", "completed", "failed", "expired"))
            ),
            models.CheckConstraint(
                name="wallets_top_up_paid", condition=~Q(status="completed") | Q(transaction__isnull=False)
            ),
            models.CheckConstraint(name="wallets_top_up_asked", condition=~Q(status="pending", next_at__isnull=True)),
        ]
        indexes: ClassVar = [
            models.Index("next_at", name="wallets_top_up_due", condition=Q(next_at__isnull=False)),
            models.Index("payment_id", name="wallets_top_up_payment", condition=~Q(payment_id="")),
        ]

    def __str__(self) -> str:
        return self.reference


class WebhookEvent(models.Model):
    """What a provider told us: its signature verified, its bytes as they came. A hint, and never more than that.

    Its body may be let go, and not be rewritten: a trigger refuses that.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        DEAD = "dead", "Given up; a person must look"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=32)
    dedupe_key = models.CharField(max_length=250)
    kind = models.CharField(max_length=7)
    reference = models.CharField(max_length=100, blank=True, default="")
    provider_id = models.CharField(max_length=100, blank=True, default="")
    hinted_status = models.CharField(max_length=100, blank=True, default="")
    occurred_at = models.DateTimeField(null=True, blank=True)
    body = models.BinaryField(null=True, help_text="Let go of some months after it was handled.")
    sha256 = models.BinaryField()
    headers = models.JSONField(default=dict, blank=True)
    contradicts = models.BooleanField(
        "contradicts another", default=False, help_text="Another event came under its key before, with other bytes."
    )
    received_at = models.DateTimeField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    outcome = models.CharField(max_length=255, blank=True, default="", help_text="What it led to, or what went wrong.")
    handled_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True, help_text="When a worker shall look at it; none when done.")
    lease = models.BigIntegerField(default=0, help_text="Counts the claims: an older worker's write is refused by it.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("provider", "dedupe_key", name="wallets_webhook_once"),
            models.CheckConstraint(
                name="wallets_webhook_state",
                condition=Q(state="waiting", next_at__isnull=False)
                | Q(state__in=("done", "dead"), next_at__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index("next_at", name="wallets_webhook_due", condition=Q(next_at__isnull=False)),
            models.Index("reference", name="wallets_webhook_reference", condition=~Q(reference="")),
            models.Index(
                "handled_at", name="wallets_webhook_body", condition=Q(handled_at__isnull=False, body__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.dedupe_key


class UnmatchedReceipt(models.Model):
    """Money that came and belongs to no wallet yet: in the suspense account until two people say whose it is."""

    class Reason(models.TextChoices):
        AMOUNT_DIFFERS = "amount_differs", "Another amount than was asked for"
        CURRENCY_DIFFERS = "currency_differs", "Another currency than was asked for"
        PAID_TWICE = "paid_twice", "A second payment for one top-up"
        WALLET_CLOSED = "wallet_closed", "The wallet has been closed"
        AMOUNT_TOO_LARGE = "amount_too_large", "The wallet can't hold so much"
        UNKNOWN_REFERENCE = "unknown_reference", "A reference that isn't ours"
        UNANNOUNCED = "unannounced", "Nobody said that it would come"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=32)
    payment_id = models.CharField(max_length=100, help_text="The provider's own name for the payment.")
    reference = models.CharField(max_length=100, blank=True, default="")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=20, choices=Reason)
    top_up = models.ForeignKey(TopUp, models.PROTECT, null=True, blank=True, related_name="receipts")
    transaction = models.ForeignKey("ledger.Transaction", models.PROTECT, related_name="+", db_constraint=False)
    received_at = models.DateTimeField()
    wallet = models.ForeignKey(
        Wallet, models.PROTECT, null=True, blank=True, related_name="+", help_text="None where it was written off."
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    assigned_by = models.CharField(max_length=60, blank=True, default="")
    assigned_because = models.CharField(max_length=255, blank=True, default="")
    assignment = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("provider", "payment_id", name="wallets_receipt_once"),
            models.CheckConstraint(
                name="wallets_receipt_assigned",
                condition=Q(wallet__isnull=True, assigned_at__isnull=True, assignment__isnull=True)
                | Q(assigned_at__isnull=False, assignment__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index("reference", name="wallets_receipt_reference", condition=~Q(reference="")),
            models.Index("id", name="wallets_receipt_open", condition=Q(assigned_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.payment_id}"
