"""The audit trail: who did what to which object."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from users.admin.pages import ReadOnlyAdmin, identifier, label
from users.models import AuditEvent

SLACK = timedelta(days=1)
VARIANTS = {"person": "", "service": "info", "staff": "warning", "system": ""}


class PeriodFilter(RangeDateFilter):
    """Events of some days in UTC, both included. Their ids, UUIDv7, bound them from below by an index."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        since, until = self._day("from"), self._day("to")
        if since:
            first = UUID(int=int((since - SLACK).timestamp() * 1000) << 80)
            queryset = queryset.filter(at__gte=since, pk__gte=first)
        return queryset.filter(at__lt=until + timedelta(days=1)) if until else queryset

    def _day(self, end: str) -> datetime | None:
        """The midnight a day begins with; what is no date filters nothing."""
        try:
            day = date.fromisoformat(self.used_parameters.get(f"at_{end}", ""))
            return datetime.combine(day, time(), UTC) if date(1970, 1, 3) < day < date(9999, 1, 1) else None
        except ValueError:
            return None


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "actor", "actor_shown", "object_kind", "object_shown")
    list_filter = ("actor_kind", ("at", PeriodFilter))
    ordering = ("-id",)
    search_help_text = "ID of the event or of who did it, or wallet:<ID> and the like"
    fieldsets = (
        (None, {"fields": ("whole_id", "at", "action")}),
        ("Who", {"fields": ("actor", "actor_id", "request_id")}),
        ("To what", {"fields": ("object_kind", "object_id", "data")}),
    )

    def search(self, term: str) -> Q:
        """An object is named by kind and id, an actor is of a known kind: so their indexes are built."""
        kind, separator, id = term.partition(":")
        if separator:
            return Q(object_kind=kind, object_id=id)
        return Q(actor_kind__in=list(VARIANTS), actor_id=term) | super().search(term)

    @display(description="actor’s ID")
    def actor_shown(self, event: AuditEvent) -> str:
        return identifier(event.actor_id) if event.actor_kind != AuditEvent.ActorKind.SYSTEM else event.actor_id

    @display(description="object’s ID")
    def object_shown(self, event: AuditEvent) -> str:
        return identifier(event.object_id)

    @display(description="actor")
    def actor(self, event: AuditEvent) -> str:
        return label(event.get_actor_kind_display(), VARIANTS.get(event.actor_kind, ""))
