"""When the books were proved, and what was found."""

from datetime import datetime

from django.contrib import admin
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from ledger.models import Verification


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "short_id", "found", "entries", "took_shown", "head_shown")
    list_filter = (("started_at", PeriodFilter),)
    ordering = ("-id",)
    search_help_text = "ID"
    fieldsets = (
        (None, {"fields": ("whole_id", ("started_at", "took_shown"), "found", "whole_head")}),
    )  # fmt: skip

    @display(description="found")
    def found(self, made: Verification) -> str:
        return cells.label(f"{made.broken:,} broken", "danger") if made.broken else cells.label("Clean", "success")

    @display(description="entries")
    def entries(self, made: Verification) -> str:
        return f"{made.rows.get('entries', 0):,}"

    @display(description="took")
    def took_shown(self, made: Verification) -> str:
        return f"{made.took.total_seconds():,.1f} s"

    @display(description="newest seal")
    def head_shown(self, made: Verification) -> str:
        return made.head.partition(":")[0] or cells.NOTHING

    @display(description="newest seal")
    def whole_head(self, made: Verification) -> str:
        return cells.whole_identifier(made.head) if made.head else cells.NOTHING

    def figures(self, made: Verification, now: datetime) -> list[Figure]:
        return [Figure(name.capitalize(), f"{count:,}") for name, count in sorted(made.rows.items())]

    def tables(self, made: Verification, now: datetime) -> list[Table]:
        rows = [(offender,) for offender in made.report]
        return [
            Table("What doesn’t hold", (Column("The first offenders of each law"),), rows, empty="Every law holds.")
        ]
