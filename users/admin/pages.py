"""What the pages of people and services have in common: nothing can be changed, and nothing large is counted."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.views import ChangeList


class BoundedList(ChangeList):
    """A list that doesn't offer to show all of what it hasn't counted."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


class BoundedPaginator(Paginator):
    """Counts to a bound and no further: whoever looks for older rows narrows the list by search or date."""

    bound = 5_000
    template_name = "admin/bounded_pagination.html"

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet, self.object_list)
        return rows.order_by().values("pk")[: self.bound].count()


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

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = BoundedPaginator
    list_filter_submit = True
    sortable_by: ClassVar[Sequence[str]] = ()
    empty_value_display = "–"
    # Searched by equality, so that an index answers: columns of ids, and lookups of texts.
    search_ids: ClassVar[Sequence[str]] = ("id",)
    search_texts: ClassVar[Sequence[str]] = ()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedList

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        return (*self.search_ids, *self.search_texts)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        return (queryset.filter(self.search(term)) if term else queryset), False

    def search(self, term: str) -> Q:
        """Which rows a term finds; a term that is an id is looked for among ids too."""
        found = Q(pk__in=[])
        for name in self.search_texts:
            found |= Q((name, term))
        with suppress(ValueError):
            for name in self.search_ids:
                found |= Q((name, UUID(term)))
        return found

    @display(description="ID")
    def whole_id(self, obj: Any) -> str:
        return format_html('<span class="whole-id">{}</span>', identifier(obj.pk))


class ReadOnlyInline(NoWriting, TabularInline):
    """Rows that belong to the object of a page."""

    extra = 0
    hide_title = True


def label(text: str, variant: str = "") -> SafeString:
    """A state as a coloured label; variants are success, info, warning and danger, and none for grey."""
    return SafeString(render_to_string("unfold/helpers/label.html", {"text": text, "type": variant}))


def identifier(id: UUID | str) -> SafeString:
    """An id's last digits, which tell it from its neighbours; selecting or clicking them takes the whole id."""
    parts = {"head": str(id)[:-8], "tail": str(id)[-8:]}
    return SafeString(render_to_string("admin/identifier.html", parts).strip())
