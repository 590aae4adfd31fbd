"""The files that were asked for: how far each is, and the way to have it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from wallets.admin import words
from wallets.models import Export


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = ("requested_at", "title", "format", "requested_by", "status_shown", "lines", "size_shown", "file")
    list_filter = ("status", "report")
    list_select_related = ("requested_by",)
    ordering = ("-id",)
    search_ids = ("id", "requested_by")
    search_help_text = "ID of the file or of who asked for it"
    change_list_template = "admin/exports.html"
    fieldsets = (
        (None, {"fields": (
            "whole_id", "title", ("report", "format"), ("status_shown", "file"), ("lines", "size_shown"), "detail",
            ("requested_by", "requested_at"), "finished_at", "parameters",
        )}),
    )  # fmt: skip

    @display(description="status")
    def status_shown(self, export: Export) -> str:
        return words.state(export.status)

    @display(description="size")
    def size_shown(self, export: Export) -> str:
        return cells.size(export.size)

    @display(description="file")
    def file(self, export: Export) -> str:
        if export.status != Export.Status.DONE:
            return export.detail or cells.NOTHING
        return format_html('<a class="text-link" href="{}">Download</a>', reverse("admin:download", args=[export.pk]))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """While something is being made, the list looks again by itself."""
        busy = Export.objects.filter(next_at__isnull=False).exists()
        return super().changelist_view(request, {**(extra_context or {}), "busy": busy})
