"""Lists a page at a time. The paginator is the project's, named in its settings; this is what we ask of it."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol, cast
from uuid import UUID

from django.db.models import QuerySet
from msgspec import Meta, Struct
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

Cursor = Annotated[str, Meta(max_length=200)]
Limit = Annotated[int, Meta(ge=1, le=200)]


class Page(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which part of a list is wanted; the paginator reads it."""

    limit: Limit = 30
    cursor: Cursor | None = None


class Position(Protocol):
    """Next to what a page begins, and whether it goes back towards newer items."""

    at: Any
    back: bool


class Pages(Protocol):
    """Reads `limit`, `cursor` and `offset`, finds a page and writes its links. All of it raises ValidationError."""

    def limit(self, request: Request) -> int: ...

    def offset(self, request: Request) -> int | None: ...

    def position(self, request: Request, kind: type[UUID] | type[int] = UUID) -> Position | None: ...

    def page(self, queryset: QuerySet[Any], request: Request, serialize: Callable[[Any], Any]) -> dict[str, Any]: ...

    def answer(
        self, request: Request, results: Sequence[Any], next_position: Any = None, previous_position: Any = None
    ) -> dict[str, Any]: ...

    def offset_answer(
        self, request: Request, results: Sequence[Any], *, offset: int, limit: int, count: int
    ) -> dict[str, Any]: ...


class ListView(GenericAPIView):
    """A view that answers with pages."""

    @property
    def pages(self) -> Pages:
        """The project's paginator."""
        return cast(Pages, self.paginator)
