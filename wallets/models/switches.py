"""What keeps payouts from being sent: a person's pause, or a provider that doesn't answer. Asking is never stopped."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class PayoutPause(models.Model):
    """New payouts through a provider, or through all of them (`*`), wait for as long as this row is there."""

    EVERY = "*"

    provider = models.CharField(primary_key=True, max_length=32, help_text="A provider, or * for all.")
    reason = models.CharField(max_length=255)
    paused_by = models.CharField(max_length=110)
    paused_at = models.DateTimeField()

    def __str__(self) -> str:
        return "all providers" if self.provider == self.EVERY else self.provider


class ProviderCircuit(models.Model):
    """How well a provider takes orders, or those in a currency. Open, it gets no new ones but a probe at `retry_at`."""

    provider = models.CharField(max_length=32)
    currency = models.CharField(
        max_length=3, blank=True, default="",
        help_text="Whose account there has too little; empty for the provider itself.",
    )  # fmt: skip
    failures = models.IntegerField(default=0, help_text="Orders in a row that weren't answered.")
    opened_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="When one order may try again.")
    reason = models.CharField(max_length=255, blank=True, default="")
    mailed_at = models.DateTimeField(null=True, blank=True, help_text="When finance was last told of it.")
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("provider", "currency", name="wallets_circuit_once"),
            models.CheckConstraint(
                name="wallets_circuit_open",
                condition=Q(opened_at__isnull=True, retry_at__isnull=True)
                | Q(opened_at__isnull=False, retry_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.currency}".strip()
