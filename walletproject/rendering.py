"""Answers are JSON, whatever the request's Accept header says."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

if TYPE_CHECKING:
    # Imported by it: DRF's views load the classes that settings name.
    from rest_framework.views import APIView

_encoder = msgspec.json.Encoder()


class JSONRenderer(BaseRenderer):
    """Encodes structs, ids, moments and plain data; nothing at all for None."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else _encoder.encode(data)


class AlwaysJSON(BaseContentNegotiation):
    """The view's first renderer answers; a body must name the parser's media type, or one more that the view takes in
    `media_types`, plain and in UTF-8.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
            return None
        media_type, _, parameters = request.content_type.lower().partition(";")
        if "charset" in parameters and "utf-8" not in parameters:
            return None
        more = getattr(request.parser_context.get("view"), "media_types", ())
        wanted = media_type.strip()
        return next((parser for parser in parsers if parser.media_type == wanted or wanted in more), None)


class Methods(BaseMetadata):
    """What OPTIONS answers: the methods that the resource knows."""

    def determine_metadata(self, request: Request, view: "APIView") -> dict[str, Any]:
        return {"methods": view.allowed_methods}
