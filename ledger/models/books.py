"""The tables of the books. Nobody outside this app writes them, and inside it only `posting` does.

Amounts are integers in minor units; a debit is positive and a credit negative. The laws that bind these tables are
in `migrations/0002_laws.py`, where PostgreSQL itself keeps them.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from ledger.money import MAX_BALANCE, MAX_POSTING


class AccountType(models.TextChoices):
    """The five kinds of account; assets and expenses grow by debits, the rest by credits."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"

    @property
    def sign(self) -> int:
        """1 where a debit raises the balance shown to a person, −1 where a credit does."""
        return 1 if self in (AccountType.ASSET, AccountType.EXPENSE) else -1


class Account(models.Model):
    """A line of the chart. Its code is a path, `liabilities:wallets:<id>`; type and currency never change."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    code = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200, blank=True)
    type = models.CharField(max_length=9, choices=AccountType)
    currency = models.CharField(max_length=3)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="ledger_account_type", condition=Q(type__in=AccountType.values)),
            models.CheckConstraint(name="ledger_account_currency", condition=Q(currency__regex="^[A-Z]{3}$")),
        ]

    def __str__(self) -> str:
        return self.code


class Balance(models.Model):
    """What the entries of one lane of an account sum to, kept beside them; and what may not be spent of it.

    A wallet has one lane. A busy internal account has several, so that writers don't queue for one row.
    """

    pk = models.CompositePrimaryKey("account_id", "lane")
    account = models.ForeignKey(Account, models.PROTECT, related_name="balances", db_index=False)
    lane = models.SmallIntegerField()
    currency = models.CharField(max_length=3)
    sign = models.SmallIntegerField(help_text="1 for a normal debit balance, -1 for a normal credit balance.")
    floor = models.BigIntegerField(null=True, help_text="What may not be undercut, on the normal side; null: no floor.")
    balance = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    pending = models.BigIntegerField(default=0)
    posted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="ledger_balance_floor",
                condition=Q(floor__isnull=True) | Q(floor__lte=F("sign") * F("balance") - F("held") - F("pending")),
            ),
            models.CheckConstraint(
                name="ledger_balance_range", condition=Q(balance__range=(-MAX_BALANCE, MAX_BALANCE))
            ),
            models.CheckConstraint(name="ledger_balance_reserved", condition=Q(held__gte=0, pending__gte=0)),
            models.CheckConstraint(name="ledger_balance_sign", condition=Q(sign__in=(1, -1))),
            models.CheckConstraint(
                name="ledger_balance_lane", condition=Q(lane__gte=0) & (Q(floor__isnull=True) | Q(lane=0))
            ),
        ]


class Transaction(models.Model):
    """One business event, posted once and never changed; undone only by another that reverses it.

    It takes effect when it is posted, or earlier where it is dated back, and never later.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=32)
    reference = models.CharField(max_length=200, unique=True)
    external_reference = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    metadata = models.JSONField(default=dict)
    posted_at = models.DateTimeField()
    effective_at = models.DateTimeField()
    reverses = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, db_constraint=False, db_index=False, related_name="reversals"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "reverses", name="ledger_transaction_reversed_once", condition=Q(reverses__isnull=False)
            ),
            models.CheckConstraint(name="ledger_transaction_effective", condition=Q(effective_at__lte=F("posted_at"))),
        ]
        # Rows lie in the order of time, near enough; the few that are dated back are found by themselves.
        indexes: ClassVar = [
            models.Index("external_reference", name="ledger_transaction_external", condition=~Q(external_reference="")),
            BrinIndex(fields=("posted_at",), name="ledger_transaction_by_day", autosummarize=True),
            models.Index(
                "effective_at", name="ledger_transaction_dated_back", condition=Q(effective_at__lt=F("posted_at"))
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Entry(models.Model):
    """One account's part of a transaction, with the lane's version and balance after it.

    No foreign keys to the database's mind: they would cost a third of the posting rate, and the laws hold without.
    """

    pk = models.CompositePrimaryKey("account_id", "lane", "version")
    account = models.ForeignKey(Account, models.PROTECT, related_name="entries", db_constraint=False, db_index=False)
    lane = models.SmallIntegerField()
    version = models.BigIntegerField()
    transaction = models.ForeignKey(
        Transaction, models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    leg = models.SmallIntegerField()
    amount = models.BigIntegerField()
    balance = models.BigIntegerField()
    posted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("transaction", "leg", name="ledger_entry_leg"),
            models.CheckConstraint(
                name="ledger_entry_amount", condition=Q(amount__range=(-MAX_POSTING, MAX_POSTING)) & ~Q(amount=0)
            ),
        ]
        indexes: ClassVar = [BrinIndex(fields=("posted_at",), name="ledger_entry_by_day", autosummarize=True)]


class Hold(models.Model):
    """An amount set aside on an account: placed, then captured (whole or part, the rest given back), released, or
    expired. An expired hold binds nothing from its `expires_at` on, whether or not somebody has closed it yet.
    """

    class Kind(models.TextChoices):
        HELD = "held", "Held for a payment"
        PENDING = "pending", "Waiting for its release date"

    class Status(models.TextChoices):
        OPEN = "open"
        CAPTURED = "captured"
        RELEASED = "released"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid7)
    account = models.ForeignKey(Account, models.PROTECT, related_name="holds", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    reference = models.CharField(max_length=200, unique=True)
    amount = models.BigIntegerField()
    captured = models.BigIntegerField(default=0)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    expires_at = models.DateTimeField(null=True, blank=True)
    placed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="ledger_hold_amount", condition=Q(amount__range=(1, MAX_POSTING))),
            models.CheckConstraint(
                name="ledger_hold_captured",
                condition=Q(captured__gte=0, captured__lte=F("amount")) & (Q(status="captured") | Q(captured=0)),
            ),
            models.CheckConstraint(
                name="ledger_hold_closed",
                condition=Q(status="open", closed_at__isnull=True) | (~Q(status="open") & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="ledger_hold_pending", condition=Q(kind="held") | Q(kind="pending", expires_at__isnull=False)
            ),
        ]
        indexes: ClassVar = [
            models.Index("account", "expires_at", name="ledger_hold_open", condition=Q(status="open")),
            models.Index("account", "placed_at", name="ledger_hold_history"),
            models.Index("expires_at", name="ledger_hold_lapsing", condition=Q(status="open")),
        ]

    def __str__(self) -> str:
        return self.reference
