"""The backups that were taken, and whether they were restored since."""

from datetime import datetime

from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Figure
from wallets.admin import words
from wallets.models import Backup


@admin.register(Backup)
class BackupAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "state_shown", "size_shown", "took", "rehearsed_at", "folder")
    list_filter = (("started_at", PeriodFilter), "verified")
    ordering = ("-id",)
    search_help_text = "ID"
    fieldsets = (
        (None, {"fields": (
            "whole_id", ("started_at", "ended_at"), "state_shown", "folder", ("server_version", "wal_position"),
            "trouble", ("rehearsed_at", "removed_at"), "way_back",
        )}),
    )  # fmt: skip

    @display(description="state")
    def state_shown(self, backup: Backup) -> str:
        return words.state(backup.state)

    @display(description="size")
    def size_shown(self, backup: Backup) -> str:
        return cells.size(backup.size)

    @display(description="took")
    def took(self, backup: Backup) -> str:
        if backup.ended_at is None:
            return cells.NOTHING
        return f"{(backup.ended_at - backup.started_at).total_seconds():,.0f} s"

    @display(description="to restore it")
    def way_back(self, backup: Backup) -> str:
        if backup.state != "verified":
            return cells.NOTHING
        return format_html("<code>manage.py restore {} NEW_FOLDER --to MOMENT</code>", backup.folder)

    def figures(self, backup: Backup, now: datetime) -> list[Figure]:
        return [Figure("Size", cells.size(backup.size)), Figure("Took", self.took(backup))]
