"""The tables of closed days. The laws that bind them are in `migrations/0010_closed_days.py` and those after it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


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
