"""What every list and page of the back office has in common: nothing can be changed, and nothing large is counted."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.views import ChangeList

from backoffice.cells import identifier, whole_identifier
from backoffice.charts import Chart
from backoffice.paging import KeysetList
from backoffice.tables import Figure, Table
from backoffice.timeline import Timeline


class NoWriting:
    """Nobody adds, changes or deletes here, superusers included."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(NoWriting, ModelAdmin):
    """Lists and pages to look at."""

    actions: Any = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_filter_submit = True
    sortable_by: ClassVar[Sequence[str]] = ()
    empty_value_display = "–"
    change_form_outer_before_template = "admin/figures.html"
    change_form_outer_after_template = "admin/tables.html"
    tables_first = False
    # What a list without rows says, and what would bring some.
    empty: ClassVar[str] = ""
    # Searched by equality, so that an index answers: columns of ids, and lookups of texts.
    search_ids: ClassVar[Sequence[str]] = ("id",)
    search_texts: ClassVar[Sequence[str]] = ()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST" and not self.actions:
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetList

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        return (*self.search_ids, *self.search_texts)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        return (queryset.filter(self.search(term)) if term else queryset), False

    def search(self, term: str) -> Q:
        """Which rows a term finds; a term that is an id is looked for among ids only."""
        try:
            return reduce(or_, [Q((name, UUID(term))) for name in self.search_ids])
        except ValueError:
            return reduce(or_, [Q((name, term)) for name in self.search_texts], Q(pk__in=[]))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj, now = kwargs.get("obj"), timezone.now()
        if obj is not None:
            context |= {
                "figures": self.figures(obj, now), "charts": self.charts(obj, now),
                "timeline": self.timeline(obj, now), "tables": self.tables(obj, now),
            }  # fmt: skip
        return super().render_change_form(request, context, *args, **kwargs)

    def figures(self, obj: Any, now: datetime) -> Sequence[Figure]:
        """The numbers above the fields."""
        return ()

    def charts(self, obj: Any, now: datetime) -> Sequence[Chart]:
        """What is drawn above the tables."""
        return ()

    def timeline(self, obj: Any, now: datetime) -> Timeline | None:
        """What happened to the object, above the tables."""
        return None

    def tables(self, obj: Any, now: datetime) -> Sequence[Table]:
        """What belongs to the object, below the fields."""
        return ()

    @display(description="ID")
    def short_id(self, obj: Any) -> str:
        return identifier(obj.pk)

    @display(description="ID")
    def whole_id(self, obj: Any) -> str:
        return whole_identifier(obj.pk)


class ReadOnlyInline(NoWriting, TabularInline):
    """Rows that belong to the object of a page."""

    extra = 0
    hide_title = True
