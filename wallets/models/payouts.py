"""Money out: where it goes, what was asked for, every attempt at a bank, and the history of all of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
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
    recipient = models.CharField(
        max_length=100, blank=True, default="", editable=False,
        help_text="The provider's own name for it, once asked; a trigger drops it when the account changes.",
    )  # fmt: skip
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True, help_text="Since then nothing is paid to its number.")

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
    """A payout to a bank account. The row is the queue: `next_at` says when a worker is due, `lease` who has it.

    While it is awaiting approval or pending, nothing of it can be at a bank. What a person who looks at it must know,
    or why it failed, is in `failure_code` and `failure_detail`.
    """

    class Status(models.TextChoices):
        AWAITING_APPROVAL = "awaiting_approval"
        PENDING = "pending"
        PROCESSING = "processing"
        IN_REVIEW = "in_review"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"
        RETURNED = "returned"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="withdrawals", db_index=False)
    bank_account = models.ForeignKey(BankAccount, models.PROTECT, related_name="withdrawals")
    provider = models.CharField(max_length=32)
    amount = models.BigIntegerField()
    fee = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    provider_fee = models.DecimalField(
        max_digits=30, decimal_places=9, null=True, blank=True,
        help_text="What the provider took for it, in major units; posted, once it is told.",
    )  # fmt: skip
    status = models.CharField(max_length=17, choices=Status, default=Status.PENDING)
    description = models.CharField(max_length=255, blank=True, default="")
    hold = models.OneToOneField("ledger.Hold", models.PROTECT, related_name="+")
    transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False
    )
    return_transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False,
        db_index=False, help_text="The transaction that put the money back after the bank had paid.",
    )  # fmt: skip
    approval_reason = models.CharField(
        max_length=255, blank=True, default="", help_text="Why a second person must approve it; empty where none must."
    )
    approved_by = models.CharField(max_length=50, blank=True, default="", help_text="person:<id>")
    failure_code = models.CharField(max_length=64, blank=True, default="")
    failure_detail = models.CharField(max_length=255, blank=True, default="")
    created_by = models.CharField(max_length=50, help_text="person:<id> or service:<id>")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True, help_text="When the bank's payment was booked.")
    next_at = models.DateTimeField(null=True, blank=True, help_text="When a worker shall look at it; none when done.")
    lease = models.BigIntegerField(default=0, help_text="Counts the claims: an older worker's write is refused by it.")
    checks = models.IntegerField(default=0, help_text="How often the bank was asked without a final answer.")
    busy_until = models.DateTimeField(null=True, blank=True, help_text="Until when the worker that has it may take.")
    heard = models.BooleanField(default=False, help_text="Somebody said meanwhile that the bank has news.")

    class Meta:
        permissions: ClassVar = [
            ("approve_withdrawal", "Can approve or reject withdrawals"),
            ("review_withdrawal", "Can settle withdrawals in review"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_withdrawal_state",
                condition=Q(
                    status__in=(
                        "awaiting_approval", "pending", "processing", "in_review", "completed", "failed", "cancelled",
                        "returned",
                    )
                ),
            ),
            models.CheckConstraint(
                name="wallets_withdrawal_next",
                condition=Q(next_at__isnull=False, status__in=("pending", "processing"))
                | Q(next_at__isnull=True, status__in=("awaiting_approval", "in_review", "returned"))
                | Q(status__in=("completed", "failed", "cancelled")),
            ),
            models.CheckConstraint(
                name="wallets_withdrawal_paid",
                condition=~Q(status__in=("completed", "returned")) | Q(transaction__isnull=False),
            ),
            models.CheckConstraint(
                name="wallets_withdrawal_returned",
                condition=Q(status="returned", return_transaction__isnull=False)
                | (~Q(status="returned") & Q(return_transaction__isnull=True)),
            ),
            models.CheckConstraint(name="wallets_withdrawal_fee", condition=Q(fee__gte=0)),
            models.CheckConstraint(name="wallets_withdrawal_four_eyes", condition=~Q(approved_by=F("created_by"))),
            models.CheckConstraint(
                name="wallets_withdrawal_approved",
                condition=Q(approval_reason="")
                | ~Q(approved_by="")
                | Q(status__in=("awaiting_approval", "cancelled")),
            ),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index("next_at", name="wallets_withdrawal_due", condition=Q(next_at__isnull=False)),
            models.Index("status", name="wallets_withdrawal_waiting", condition=Q(status="pending")),
            models.Index(
                "provider", "currency", name="wallets_withdrawal_in_flight",
                condition=Q(status__in=("processing", "in_review")),
            ),
            # Most withdrawals complete: the others, of which staff look for a few, are found without the many.
            models.Index(
                "status", "id", name="wallets_withdrawal_others",
                condition=Q(status__in=("awaiting_approval", "in_review", "failed", "cancelled", "returned")),
            ),
            models.Index("wallet", "created_at", name="wallets_withdrawal_of_wallet"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"Withdrawal {self.id}"


class PayoutAttempt(models.Model):
    """One order to a bank, committed before the bank is called. Its reference is the bank's key: it pays it once.

    It may be sent several times, always as it was: after it was known not to have arrived.
    """

    class Outcome(models.TextChoices):
        UNKNOWN = "unknown", "Sent, or about to be; the answer isn't known"
        NOT_SENT = "not_sent", "Known not to have reached the bank"
        ACCEPTED = "accepted", "The bank has it"
        ACTION_REQUIRED = "action_required", "The bank has it, and waits for somebody"
        REJECTED = "rejected", "The bank refused the order; it is being asked once more"
        UNDERFUNDED = "underfunded", "Refused, since we hold too little there; it is being asked once more"
        PAID = "paid", "The bank paid"
        REFUSED = "refused", "The bank refused"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    withdrawal = models.ForeignKey(Withdrawal, models.PROTECT, related_name="attempts", db_index=False)
    number = models.SmallIntegerField()
    provider = models.CharField(max_length=32)
    reference = models.CharField(max_length=100)
    provider_id = models.CharField(max_length=100, blank=True, default="")
    outcome = models.CharField(max_length=15, choices=Outcome, default=Outcome.UNKNOWN)
    detail = models.CharField(max_length=255, blank=True, default="")
    started_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When it was last about to be sent.")
    sends = models.IntegerField(default=0, help_text="How often it was about to be sent, always as it was.")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When the bank last said what we understand.")
    action_since = models.DateTimeField(null=True, blank=True, help_text="Since when the bank waits for somebody.")
    doubtful = models.BooleanField(default=False, help_text="An earlier sending may have arrived.")
    misses = models.IntegerField(default=0, help_text="How often, in a row and spaced, the bank didn't know it.")
    missed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("withdrawal", "number", name="wallets_attempt_number"),
            models.UniqueConstraint("provider", "reference", name="wallets_attempt_reference"),
            models.UniqueConstraint("withdrawal", name="wallets_attempt_one_open", condition=~Q(outcome="refused")),
        ]
        indexes: ClassVar = [
            models.Index("provider_id", name="wallets_attempt_provider_id", condition=~Q(provider_id="")),
        ]

    def __str__(self) -> str:
        return self.reference


class WithdrawalStep(models.Model):
    """What happened to a withdrawal, in a person's words. Append-only: a trigger refuses everything but INSERT.

    Written with each transition and with each answer of the bank, in the same transaction. `raw` is the provider's
    answer without secrets and account numbers.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    withdrawal = models.ForeignKey(Withdrawal, models.PROTECT, related_name="steps", db_index=False)
    at = models.DateTimeField()
    before = models.CharField(max_length=17, blank=True, help_text="Its status before; empty for a new one.")
    after = models.CharField(max_length=17)
    actor = models.CharField(max_length=110, help_text="person, service, staff or system, and which")
    attempt = models.SmallIntegerField(null=True, blank=True)
    what = models.CharField(max_length=500)
    raw = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index("withdrawal", "id", name="wallets_step_of_withdrawal")]

    def __str__(self) -> str:
        return self.what
