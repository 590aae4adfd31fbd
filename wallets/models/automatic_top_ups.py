"""Wallets that are topped up by themselves, and each time that they were or weren't."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from wallets.models.movements import Transfer
from wallets.models.usage import amount_field
from wallets.models.wallets import Wallet


class AutomaticTopUp(models.Model):
    """A wallet is topped up from another one of its owner, whenever its current balance falls below a mark.

    The row is the queue and the guard: whoever tries has it locked.
    """

    wallet = models.OneToOneField(Wallet, models.PROTECT, primary_key=True, related_name="automatic_top_up")
    source = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    below = models.BigIntegerField(help_text="It is topped up below so many minor units.")
    amount = models.BigIntegerField(help_text="By how much, in minor units.")
    monthly_cap = models.BigIntegerField(null=True, help_text="At most so much in a calendar month (UTC).")
    cool_down = models.IntegerField(help_text="How many seconds after one there is no other.")
    is_active = models.BooleanField(default=True)
    declines = models.SmallIntegerField(default=0, help_text="How often it was declined since it last wasn't.")
    next_at = models.DateTimeField(null=True, help_text="Not tried before; null: whenever it is needed.")
    set_by = models.CharField(max_length=60)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="wallets_automatic_top_up_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="wallets_automatic_top_up_other", condition=~Q(source=F("wallet"))),
            models.CheckConstraint(
                name="wallets_automatic_top_up_cap",
                condition=Q(monthly_cap__isnull=True) | Q(monthly_cap__gte=F("amount")),
            ),
            models.CheckConstraint(name="wallets_automatic_top_up_cool", condition=Q(cool_down__gte=0)),
        ]

    def __str__(self) -> str:
        return str(self.wallet_id)


class AutomaticTopUpAttempt(models.Model):
    """One time that a wallet was to be topped up: it was, or why not. Append-only."""

    class Outcome(models.TextChoices):
        COMPLETED = "completed"
        DECLINED = "declined"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    source = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    amount = models.BigIntegerField(help_text="In minor units.")
    currency = models.CharField(max_length=3)
    current = amount_field(help_text="The wallet's current balance before.")
    outcome = models.CharField(max_length=9, choices=Outcome)
    code = models.CharField(max_length=32, blank=True, default="", help_text="Why it was declined.")
    detail = models.CharField(max_length=300, blank=True, default="")
    transfer = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_top_up_attempt_outcome",
                condition=Q(outcome="completed", transfer__isnull=False, code="")
                | (Q(outcome="declined", transfer__isnull=True) & ~Q(code="")),
            ),
        ]
        indexes: ClassVar = [models.Index("wallet", "id", name="wallets_top_up_attempt_newest")]

    def __str__(self) -> str:
        return f"{self.amount:,} {self.currency} at {self.made_at:%Y-%m-%d %H:%M:%S}"
