"""The tables of closed days. The laws that bind them are in `migrations/0006_closed_days.py` and those after it."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from ledger.models.books import Account


class Boundary(models.Model):
    """Where the closed days end: one row, which only ever moves forward. Days are in UTC."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    opens = models.DateField(null=True, help_text="The first open day; null while no day is closed.")
    moved_at = models.DateTimeField(null=True)
    moved_by = models.CharField(max_length=120, blank=True, default="", help_text="Who closed the days before it.")

    class Meta:
        verbose_name_plural = "boundary"
        constraints: ClassVar = [models.CheckConstraint(name="ledger_boundary_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"open from {self.opens}"


class DayBalance(models.Model):
    """What one account did on one closed day, by the dates on which its entries take effect, and where it stood then.

    Amounts in minor units; `balance` is positive for a debit. A day on which an account didn't move has no row.
    """

    pk = models.CompositePrimaryKey("account_id", "day")
    account = models.ForeignKey(Account, models.PROTECT, related_name="days", db_constraint=False, db_index=False)
    day = models.DateField()
    debits = models.BigIntegerField()
    credits = models.BigIntegerField()
    balance = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [BrinIndex(fields=("day",), name="ledger_daybalance_by_day", autosummarize=True)]


class Seal(models.Model):
    """A closed day, sealed: a hash over all that was written on it, and over the seal before: docs/closing.md."""

    day = models.DateField(primary_key=True)
    parts = models.JSONField(help_text="Of each sealed table, how many rows it has of the day, and their SHA-256.")
    seal = models.BinaryField()
    sealed_at = models.DateTimeField()
    sealed_by = models.CharField(max_length=120)

    class Meta:
        permissions: ClassVar = [("close_period", "Can close days of the books")]

    def __str__(self) -> str:
        return f"{self.day}:{bytes(self.seal).hex()}"


class SealedRows(models.Model):
    """Which rows a seal is over, so that the one that was changed since can be named: some thousand of one table.

    `leaves` has 26 bytes for each: its id, its number below that id, and the first 8 bytes of its own SHA-256.
    """

    pk = models.CompositePrimaryKey("day", "part", "number")
    day = models.DateField()
    part = models.CharField(max_length=32)
    number = models.IntegerField()
    leaves = models.BinaryField()
