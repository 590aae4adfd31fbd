"""Closed days: what each seal is over, and the head that stands for all before it."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from ledger.models import Seal

COLUMNS = (Column("Part"), Column("Rows", number=True), Column("SHA-256 of their lines"))


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    list_display = ("day_shown", "transactions", "entries", "seal_shown", "sealed_at", "sealed_by")
    list_filter = (("sealed_at", PeriodFilter),)
    ordering = ("-day",)
    search_ids = ("day",)
    search_help_text = "Day, such as 2026-11-23"
    fieldsets = (
        (None, {"fields": ("day", "head_shown", ("sealed_at", "sealed_by"), "proof")}),
    )  # fmt: skip

    def search(self, term: str) -> Q:
        try:
            return Q(day=date.fromisoformat(term))
        except ValueError:
            return Q(pk__in=[])

    @display(description="day", ordering="day")
    def day_shown(self, seal: Seal) -> str:
        return f"{seal.day}"

    @display(description="transactions")
    def transactions(self, seal: Seal) -> str:
        return f"{rows_of(seal, 'transactions'):,}"

    @display(description="entries")
    def entries(self, seal: Seal) -> str:
        return f"{rows_of(seal, 'entries'):,}"

    @display(description="seal")
    def seal_shown(self, seal: Seal) -> str:
        return cells.identifier(bytes(seal.seal).hex())

    @display(description="head")
    def head_shown(self, seal: Seal) -> str:
        return cells.whole_identifier(str(seal))

    @display(description="to prove it")
    def proof(self, seal: Seal) -> str:
        return format_html("<code>manage.py verify_ledger --head {}</code>", str(seal))

    def figures(self, seal: Seal, now: datetime) -> list[Figure]:
        return [Figure(name.capitalize(), f"{rows_of(seal, name):,}") for name in sorted(seal.parts)]

    def tables(self, seal: Seal, now: datetime) -> list[Table]:
        return [Table("What it is over", COLUMNS, list(_parts(seal)))]


def rows_of(seal: Seal, part: str) -> int:
    """How many rows of a table a seal is over."""
    return int(seal.parts.get(part, "0").partition(" ")[0])


def _parts(seal: Seal) -> Iterator[tuple[Any, ...]]:
    for name, said in sorted(seal.parts.items()):
        yield (name, f"{rows_of(seal, name):,}", cells.identifier(said.partition(" ")[2]))
