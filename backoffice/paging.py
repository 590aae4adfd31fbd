"""Lists that cost the same on every page: a page begins behind a row, and nothing is counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

AFTER, BEFORE = "after", "before"


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the pages beside this one are: query strings, empty where there is none."""

    previous: str
    next: str

    template_name: ClassVar[str] = "admin/keyset_pagination.html"


class KeysetList(ChangeList):
    """A list whose pages lie before or after a row. Its admin orders by columns that are unique together, all of them
    up or all of them down.
    """

    def get_filters_params(self, params: Any = None) -> Any:
        return {name: value for name, value in super().get_filters_params(params).items() if not _is_ours(name)}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """A filter or search that changes begins at the first page again."""
        return super().get_query_string(new_params, [*(remove or ()), AFTER, BEFORE])

    def get_results(self, request: HttpRequest) -> None:
        back = BEFORE in request.GET
        rows = self._rows(request.GET.get(BEFORE if back else AFTER, ""), back)
        found = list(rows[: self.list_per_page + 1])
        more, found = len(found) > self.list_per_page, found[: self.list_per_page]
        if back:
            found.reverse()
        self.result_list, self.result_count, self.full_result_count = found, len(found), len(found)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = bool(found)
        self.paginator = Pages(
            self._link(BEFORE, found[0]) if found and (more if back else AFTER in request.GET) else "",
            self._link(AFTER, found[-1]) if found and (more or back) else "",
        )

    def _rows(self, position: str, back: bool) -> QuerySet:
        """The rows beyond a position, nearest first; from the first row on where there is none."""
        rows = self.queryset.reverse() if back else self.queryset
        if not position:
            return rows
        names, descending = self._order()
        try:
            values = dict(zip(names, position.split(",", len(names) - 1), strict=True))
            return rows.filter(_beyond(values, "lt" if descending is not back else "gt"))
        except (ValidationError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def _order(self) -> tuple[list[str], bool]:
        orders = self.model_admin.get_ordering(None)
        return [order.removeprefix("-") for order in orders], orders[0].startswith("-")

    def _link(self, side: str, row: Model) -> str:
        return self.get_query_string({side: ",".join(str(getattr(row, name)) for name in self._order()[0])})


def _beyond(values: Mapping[str, str], side: str) -> Q:
    """Beyond these values of the columns: by the first, or where that is the same by the others. What an index goes by
    is the bound of the first alone.
    """
    (name, value), *others = values.items()
    further = Q((f"{name}__{side}", value))
    return Q((f"{name}__{side}e", value)) & (further | _beyond(dict(others), side)) if others else further


def _is_ours(name: str) -> bool:
    return name in (AFTER, BEFORE)
