"""The sandbox bank's own books. They stand for another company's database: nothing of ours joins them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class SandboxPayout(models.Model):
    """An order that the sandbox bank has taken."""

    reference = models.CharField(primary_key=True, max_length=100)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    account_number = models.CharField(max_length=10)
    accepted_at = models.DateTimeField()
    settles_at = models.DateTimeField(null=True, blank=True, help_text="When it is paid; never, for a stuck one.")
    refused = models.CharField(max_length=100, blank=True, default="")

    def __str__(self) -> str:
        return self.reference


class SandboxCheckout(models.Model):
    """Something that somebody is to pay at the sandbox bank, or has paid unasked; then `number` is its reference."""

    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        REFUSED = "refused"
        STUCK = "stuck", "Paid by the customer, and not yet by the bank"

    reference = models.CharField(primary_key=True, max_length=100)
    number = models.CharField(max_length=40, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    payer = models.CharField(max_length=200, blank=True, default="")
    return_url = models.CharField(max_length=500, blank=True, default="")
    status = models.CharField(max_length=7, choices=Status, default=Status.OPEN)
    paid = models.BigIntegerField(default=0, help_text="What was paid in, gross, in minor units.")
    fee = models.BigIntegerField(default=0, help_text="What the bank keeps of it.")
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_sandbox_checkout_status", condition=Q(status__in=("open", "paid", "refused", "stuck"))
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class SandboxFloat(models.Model):
    """What the sandbox bank held for us in a currency before its other tables say anything; may be negative."""

    currency = models.CharField(primary_key=True, max_length=3)
    amount = models.BigIntegerField()

    def __str__(self) -> str:
        return self.currency
