"""Money out: where it goes, what was asked for, and every attempt at a bank."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from wallets.models.wallets import Wallet


class BankAccount(models.Model):
    """A bank account that money may be paid to. Its number is encrypted; only the last four digits are ever shown."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    client = models.ForeignKey("users.ApiClient", models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.CharField(max_length=32)
    bank_code = models.CharField(max_length=32)
    bank_name = models.CharField(max_length=200, blank=True)
    number = models.BinaryField()
    number_digest = models.BinaryField()
    last4 = models.CharField(max_length=4)
    account_name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_bank_account_owner",
                condition=Q(user__isnull=False, client__isnull=True) | Q(user__isnull=True, client__isnull=False),
            ),
            models.UniqueConstraint(
                "user", "client", "provider", "bank_code", "number_digest", "currency",
                name="wallets_bank_account_once", condition=Q(deleted_at__isnull=True), nulls_distinct=False,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.account_name} ••••{self.last4}"


class Withdrawal(models.Model):
    """A payout to a bank account. The row is the queue: `next_at` says when a worker is due, `lease` who has it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        IN_REVIEW = "in_review"
        COMPLETED = "completed"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="withdrawals")
    bank_account = models.ForeignKey(BankAccount, models.PROTECT, related_name="withdrawals")
    provider = models.CharField(max_length=32)
    amount = models.BigIntegerField()
    fee = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    description = models.CharField(max_length=255, blank=True, default="")
    hold = models.OneToOneField("ledger.Hold", models.PROTECT, related_name="+")
    transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False
    )
    failure_code = models.CharField(max_length=64, blank=True, default="")
    failure_detail = models.CharField(max_length=255, blank=True, default="")
    created_by = models.CharField(max_length=50, help_text="person:<id> or service:<id>")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True, help_text="When a worker shall look at it; none when done.")
    lease = models.BigIntegerField(default=0, help_text="Counts the claims: an older worker's write is refused by it.")
    checks = models.IntegerField(default=0, help_text="How often the bank was asked without a final answer.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_withdrawal_status",
                condition=Q(status__in=("pending", "processing", "in_review", "completed", "failed")),
            ),
            models.CheckConstraint(
                name="wallets_withdrawal_done",
                condition=Q(next_at__isnull=False, status__in=("pending", "processing"))
                | Q(next_at__isnull=True, status__in=("in_review", "completed", "failed")),
            ),
            models.CheckConstraint(
                name="wallets_withdrawal_paid", condition=~Q(status="completed") | Q(transaction__isnull=False)
            ),
        ]
        indexes: ClassVar = [
            models.Index("next_at", name="wallets_withdrawal_due", condition=Q(next_at__isnull=False)),
            models.Index("status", name="wallets_withdrawal_waiting", condition=Q(status="pending")),
            models.Index(
                "provider", "currency", name="wallets_withdrawal_in_flight",
                condition=Q(status__in=("processing", "in_review")),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"Withdrawal {self.id}"


class PayoutAttempt(models.Model):
    """One order to a bank, committed before the bank is called. Its reference is the bank's key: it pays it once."""

    class Outcome(models.TextChoices):
        UNKNOWN = "unknown", "Sent, or about to be; the answer isn't known"
        NOT_SENT = "not_sent", "Known not to have reached the bank"
        ACCEPTED = "accepted", "The bank has it"
        PAID = "paid", "The bank paid"
        REFUSED = "refused", "The bank refused"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    withdrawal = models.ForeignKey(Withdrawal, models.PROTECT, related_name="attempts", db_index=False)
    number = models.SmallIntegerField()
    provider = models.CharField(max_length=32)
    reference = models.CharField(max_length=100)
    provider_id = models.CharField(max_length=100, blank=True, default="")
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.UNKNOWN)
    detail = models.CharField(max_length=255, blank=True, default="")
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("withdrawal", "number", name="wallets_attempt_number"),
            models.UniqueConstraint("provider", "reference", name="wallets_attempt_reference"),
            models.UniqueConstraint("withdrawal", name="wallets_attempt_one_open", condition=~Q(outcome="refused")),
        ]

    def __str__(self) -> str:
        return self.reference
