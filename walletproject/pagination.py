"""Lists a page at a time, newest first: a page begins at a position, so that each costs the same."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Model, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from users.validation import ValidationError

if TYPE_CHECKING:
    # Imported by it: DRF's views load the classes that settings name.
    from rest_framework.views import APIView

DEFAULT_LIMIT = 30
LARGEST_LIMIT = 200
LARGEST_NUMBER = 2**63 - 1

_is_number = re.compile(r"[0-9]{1,19}").fullmatch


class Position(NamedTuple):
    """Where a page begins: next to `at`, an id or a number; towards older ones, or towards newer ones if `back`."""

    at: Any
    back: bool = False


def encode(position: Position) -> str:
    """The opaque cursor for a position."""
    at = position.at if isinstance(position.at, int) else str(position.at)
    document = json.dumps([at, int(position.back)], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def decode(cursor: str, kind: type[UUID] | type[int] = UUID) -> Position:
    """The position in a cursor that `encode` made for this kind of place. Raises ValidationError."""
    try:
        at, back = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position = Position(UUID(at) if kind is UUID else _whole(at), bool(back))
        if encode(position) == cursor:
            return position
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise ValidationError.on("cursor", "invalid", "Use a cursor from the `next` or `previous` of an earlier answer.")


def read_limit(text: str | None) -> int:
    """How many items a page shall have. Raises ValidationError."""
    return DEFAULT_LIMIT if text is None else _number(text, "limit", least=1, most=LARGEST_LIMIT)


def read_offset(text: str | None) -> int | None:
    """How many items to pass over, or None where the caller didn't say. Raises ValidationError."""
    return None if text is None else _number(text, "offset", least=0, most=LARGEST_NUMBER)


def link(request: Request, **changes: str) -> str:
    """The absolute address of this request with other query parameters; its own cursor and offset are dropped."""
    query = request.query_params.copy()
    for name in ("cursor", "offset"):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    base = settings.PUBLIC_URL.rstrip("/") or f"{request.scheme}://{request.get_host()}"
    return f"{base}{request.path}?{query.urlencode()}"


class CursorPages(BasePagination):
    """A view's `self.paginator`: reads `limit`, `cursor` and `offset`, finds the page and writes the links."""

    def limit(self, request: Request) -> int:
        """The wanted length of a page. Raises ValidationError."""
        return read_limit(request.query_params.get("limit"))

    def offset(self, request: Request) -> int | None:
        """The wanted offset, if any. Raises ValidationError, also when there is a cursor as well."""
        offset = read_offset(request.query_params.get("offset"))
        if offset is not None and "cursor" in request.query_params:
            raise ValidationError.on("offset", "conflict", "Send either a cursor or an offset.")
        return offset

    def position(self, request: Request, kind: type[UUID] | type[int] = UUID) -> Position | None:
        """Where the page begins, None for the newest. Raises ValidationError."""
        cursor = request.query_params.get("cursor")
        return None if cursor is None else decode(cursor, kind)

    def page(self, queryset: QuerySet[Any], request: Request, serialize: Callable[[Any], Any]) -> dict[str, Any]:
        """The answer for a queryset whose ids are UUIDv7, so that their order is that of creation."""
        limit, position = self.limit(request), self.position(request)
        rows, more = _rows(queryset, limit, position)
        back = position is not None and position.back
        has_older, has_newer = (bool(rows), more) if back else (more, bool(rows) and position is not None)
        return self.answer(
            request,
            [serialize(row) for row in rows],
            rows[-1].pk if has_older else None,
            rows[0].pk if has_newer else None,
        )

    def answer(
        self,
        request: Request,
        results: Sequence[Any],
        next_position: Any = None,
        previous_position: Any = None,
        count: int | None = None,
    ) -> dict[str, Any]:
        """The list's body. A position is the id or number of the last (next) or first (previous) item of this page,
        None where there is nothing further that way."""
        older = None if next_position is None else encode(Position(next_position))
        newer = None if previous_position is None else encode(Position(previous_position, back=True))
        return _body(
            results,
            older and link(request, cursor=older),
            newer and link(request, cursor=newer),
            count,
        )

    def offset_answer(
        self, request: Request, results: Sequence[Any], *, offset: int, limit: int, count: int
    ) -> dict[str, Any]:
        """The body of a list that was asked for by offset."""
        has_next, has_previous = offset + limit < count, offset > 0
        return _body(
            results,
            link(request, offset=str(offset + limit)) if has_next else None,
            link(request, offset=str(max(0, offset - limit))) if has_previous else None,
            count,
        )

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """For the OpenAPI document."""
        limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT}
        return [
            {"name": "limit", "in": "query", "required": False, "schema": limit},
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}},
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """For the OpenAPI document."""
        address = {"type": ["string", "null"], "format": "uri"}
        properties = {"results": schema, "next": address, "previous": address}
        return {"type": "object", "required": list(properties), "properties": properties}


def _rows(queryset: QuerySet[Any], limit: int, position: Position | None) -> tuple[list[Model], bool]:
    """At most `limit` rows, newest first, and whether there are more in the direction asked for."""
    if position is None:
        found = list(queryset.order_by("-pk")[: limit + 1])
    elif position.back:
        found = list(queryset.filter(pk__gt=position.at).order_by("pk")[: limit + 1])
    else:
        found = list(queryset.filter(pk__lt=position.at).order_by("-pk")[: limit + 1])
    rows = found[:limit]
    if position is not None and position.back:
        rows.reverse()
    return rows, len(found) > limit


def _body(results: Sequence[Any], older: str | None, newer: str | None, count: int | None) -> dict[str, Any]:
    body: dict[str, Any] = {"results": results, "next": older, "previous": newer}
    return body if count is None else body | {"count": count}


def _number(text: str, name: str, *, least: int, most: int) -> int:
    number = int(text) if _is_number(text) else -1
    if not least <= number <= most:
        raise ValidationError.on(name, "out_of_range", f"Must be a whole number from {least} to {most}.")
    return number


def _whole(at: Any) -> int:
    if type(at) is not int or not 0 <= at <= LARGEST_NUMBER:
        raise ValueError("not a position")
    return at
