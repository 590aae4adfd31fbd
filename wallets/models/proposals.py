"""What one person asks for and another one decides."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

# What can be asked for, each with a permission to ask and one to decide.
KINDS = {
    "journal": "manual journal",
    "reversal": "reversal",
    "account": "new account of the chart",
    "freeze": "freeze of a wallet, or its end",
    "credit_limit": "credit limit of a wallet",
    "rule": "change of fees, limits and approval rules",
    "receipt": "unmatched receipt",
    "review": "withdrawal that a person must judge",
    "bank_account": "block of a bank account, or its end",
    "break_posting": "posting that resolves a break",
    "price": "price of a meter",
    "price_end": "end of a price of a meter",
    "usage_repair": "usage set right by a posting",
    "roles": "roles of staff",
}


class Proposal(models.Model):
    """A deed that needs two people: asked for by one, decided by another. What is asked for never changes.

    `content` is the deed, `basis` the state of things that it was asked upon; an approval holds for both as they were.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=20, choices={kind: what.capitalize() for kind, what in KINDS.items()})
    subject_kind = models.CharField(max_length=30, help_text="What it is about: wallet, withdrawal, transaction …")
    subject_id = models.CharField(max_length=100)
    says = models.CharField("what", max_length=500)
    content = models.JSONField()
    basis = models.JSONField(default=dict)
    reason = models.CharField(max_length=500)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=9, choices=Status, default=Status.OPEN)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decided_because = models.CharField(max_length=500, blank=True, default="")
    transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, null=True, related_name="+", db_constraint=False
    )

    class Meta:
        permissions: ClassVar = [
            *((f"ask_{kind}", f"Can ask: {what}") for kind, what in KINDS.items()),
            *((f"decide_{kind}", f"Can decide: {what}") for kind, what in KINDS.items()),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_proposal_status", condition=Q(status__in=("open", "approved", "rejected", "withdrawn"))
            ),
            models.CheckConstraint(
                name="wallets_proposal_decided",
                condition=Q(status="open", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(status="open") & Q(decided_by__isnull=False, decided_at__isnull=False)),
            ),
            # The same person can't, whatever else they may; and only the same person takes back what they asked for.
            models.CheckConstraint(
                name="wallets_proposal_four_eyes",
                condition=Q(decided_by__isnull=True)
                | (Q(status="withdrawn") & Q(decided_by=F("requested_by")))
                | (~Q(status="withdrawn") & ~Q(decided_by=F("requested_by"))),
            ),
            models.CheckConstraint(name="wallets_proposal_reason", condition=~Q(reason="")),
        ]
        indexes: ClassVar = [
            models.Index("id", name="wallets_proposal_open", condition=Q(status="open")),
            models.Index("subject_kind", "subject_id", "id", name="wallets_proposal_subject"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class JournalTemplate(models.Model):
    """A journal that is made again and again: its legs without, or with, their amounts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100, unique=True)
    description = models.CharField(max_length=255, blank=True, default="")
    legs = models.JSONField(default=list, help_text='Such as [{"account": "income:fees:NGN", "debit": 0, "credit": 0}]')

    def __str__(self) -> str:
        return self.name
