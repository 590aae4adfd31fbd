"""What paying out costs, how much may be paid out, and what a second person must approve. Staff write these."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7


class Rule(models.Model):
    """What all of them have: they hold for one currency, and amounts are in its minor units."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    currency = models.CharField(max_length=3, help_text="ISO 4217, such as NGN.")

    class Meta:
        abstract = True


class FeeRule(Rule):
    """What a withdrawal costs: flat, and a part of the amount. A provider's own rule goes before that for any."""

    provider = models.CharField(max_length=32, blank=True, default="", help_text="Empty: any provider.")
    flat = models.BigIntegerField(default=0, help_text="In minor units.")
    basis_points = models.IntegerField(default=0, help_text="Hundredths of a per cent of the amount, rounded up.")
    minimum = models.BigIntegerField(null=True, blank=True, help_text="The fee is never less, in minor units.")
    maximum = models.BigIntegerField(null=True, blank=True, help_text="The fee is never more, in minor units.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("currency", "provider"), name="wallets_fee_rule_once"),
            models.CheckConstraint(
                name="wallets_fee_rule_range",
                condition=Q(flat__range=(0, 10**12), basis_points__range=(0, 10_000))
                & (Q(minimum__isnull=True) | Q(minimum__range=(0, 10**12)))
                & (Q(maximum__isnull=True) | Q(maximum__range=(0, 10**12)))
                & (Q(minimum__isnull=True) | Q(maximum__isnull=True) | Q(minimum__lte=F("maximum"))),
                violation_error_message="Amounts are from 0 to 10^12, the minimum isn't above the maximum, and 10,000"
                " basis points are the whole amount.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} through {self.provider or 'any provider'}"


class WithdrawalLimit(Rule):
    """How much may be withdrawn: at once, or in a day (UTC), from a wallet or from all wallets of its owner."""

    class Scope(models.TextChoices):
        USER = "user", "All wallets of an owner"
        WALLET = "wallet", "A wallet"

    class Window(models.TextChoices):
        SINGLE = "single", "At once"
        DAY = "day", "In a day"

    scope = models.CharField(max_length=6, choices=Scope)
    window = models.CharField(max_length=6, choices=Window)
    amount = models.BigIntegerField(help_text="The most, in minor units, without fees.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("currency", "scope", "window"), name="wallets_withdrawal_limit_once"),
            models.CheckConstraint(name="wallets_withdrawal_limit_amount", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}, {self.get_window_display().lower()}: {self.currency}"


class ApprovalRule(Rule):
    """When a second person must approve a withdrawal: above a threshold, in one sense of it or another."""

    class Kind(models.TextChoices):
        AMOUNT = "amount", "The amount is above the threshold"
        FIRST_USE = "first_use", "The bank account was never paid, and the amount is above the threshold"
        DAILY_SUM = "daily_sum", "The owner's withdrawals of the day (UTC) come to more than the threshold"

    kind = models.CharField(max_length=9, choices=Kind)
    threshold = models.BigIntegerField(default=0, help_text="In minor units.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("currency", "kind"), name="wallets_approval_rule_once"),
            models.CheckConstraint(name="wallets_approval_rule_threshold", condition=Q(threshold__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.currency}: {self.get_kind_display().lower()}"
