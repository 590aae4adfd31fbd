"""The audit trail: who did what to which object."""

from django.contrib import admin
from django.db.models import Q
from unfold.decorators import display

from backoffice.cells import identifier, label
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from users.models import AuditEvent

VARIANTS = {"person": "", "service": "info", "staff": "warning", "system": ""}


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
