"""What the OpenAPI document says about an operation, from the same structs that read and answer it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentIdentity, ComponentRegistry, ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

F = TypeVar("F", bound=Callable[..., Any])
Schema = dict[str, Any]

_NOT_WORD = re.compile(r"\W+")
_REF = "#/components/schemas/{name}"
_DEFAULT_ERRORS = (400, 401, 403, 404, 409, 422, 429, 503)
_MEANINGS = {
    200: "Done",
    201: "Made",
    202: "Accepted; it goes on without you",
    204: "Done; there is nothing to say",
    400: "The request can't be understood",
    401: "We don't know who is calling",
    403: "The caller lacks the scope or role",
    404: "Not there, or somebody else's",
    409: "Not in this state",
    413: "The body is too large",
    415: "Not JSON",
    422: "Understood, and refused",
    429: "Too many requests",
    503: "Not now; repeat it later with the same key",
}


class Problem(msgspec.Struct, kw_only=True):
    """A refusal, as RFC 9457 problem details; some codes have members of their own beside these."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str


def operation(
    *,
    summary: str,
    body: Any = None,
    also: Mapping[str, Any] | None = None,
    answers: Mapping[int, Any],
    query: type[msgspec.Struct] | None = None,
    tags: Sequence[str] | None = None,
    idempotent: bool = False,
    headers: Sequence[OpenApiParameter] = (),
    errors: Iterable[int] = _DEFAULT_ERRORS,
    description: str | None = None,
) -> Callable[[F], F]:
    """Describe a view's method. `answers` maps a status to a type, or to None for an empty answer; `also` maps further
    media types to the bodies that come in them.
    """
    described = _Components()
    responses: dict[Any, OpenApiResponse] = {
        status if type_ is None else (status, "application/json"): _response(status, described.schema(type_))
        for status, type_ in answers.items()
    }
    problem = described.schema(Problem)
    responses |= {(status, "application/problem+json"): _response(status, problem) for status in sorted(errors)}
    bodies = {} if body is None else {"application/json": described.schema(body)}
    bodies |= {kind: described.schema(type_) for kind, type_ in (also or {}).items()}
    parameters = [*_query_parameters(query), *([_IDEMPOTENCY_KEY] if idempotent else []), *headers]

    def decorate(method: F) -> F:
        method.kwargs = {"schema": described.schema_class()}  # type: ignore[attr-defined]
        return extend_schema(
            operation_id=_NOT_WORD.sub("_", summary.lower()).strip("_"),
            summary=summary,
            description=description or method.__doc__ or f"{summary}.",
            request=bodies or None,
            responses=responses,
            parameters=parameters,
            tags=list(tags) if tags else None,
        )(method)

    return decorate


_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": '^"?[A-Za-z0-9_.:-]{1,255}"?$'},
    OpenApiParameter.HEADER,
    description="Needed here or as `idempotency_key` in the body: a repeat with the same key has no second effect.",
)


class _Components:
    """The named schemas that one operation refers to."""

    def __init__(self) -> None:
        self._schemas: dict[str, Schema] = {}

    def schema(self, type_: Any) -> Schema | None:
        """The schema of a type, a reference where it has a name."""
        if type_ is None:
            return None
        (schema,), components = msgspec.json.schema_components([type_], ref_template=_REF)
        self._schemas |= _as_ecma(components)
        found: Schema = _as_ecma(schema)
        return found

    def resolved(self, schema: Schema) -> Schema:
        """The schema itself, where a reference was all."""
        name = schema.get("$ref", "").rpartition("/")[2]
        return self._schemas.get(name, schema)

    def schema_class(self) -> type[AutoSchema]:
        """An AutoSchema that brings the named schemas along into the document."""
        schemas = self._schemas

        class StructSchema(AutoSchema):
            def get_operation(self, *args: Any, **kwargs: Any) -> Any:
                operation = super().get_operation(*args, **kwargs)
                if operation is not None:
                    _register(self.registry, schemas)
                    # drf-spectacular takes a body that it is given as a plain schema for optional.
                    operation.get("requestBody", {})["required"] = True
                return operation

        return StructSchema


def _as_ecma(schema: Any) -> Any:
    """Its patterns as JSON Schema has them, those of ECMAScript: there `$` is the very end of a text."""
    if isinstance(schema, list):
        return [_as_ecma(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: re.sub(r"\\Z$", "$", value) if name == "pattern" and isinstance(value, str) else _as_ecma(value)
        for name, value in schema.items()
    }


def _register(registry: ComponentRegistry, schemas: Mapping[str, Schema]) -> None:
    for name, schema in schemas.items():
        registry.register_on_missing(
            ResolvedComponent(name, ResolvedComponent.SCHEMA, schema=schema, object=ComponentIdentity(repr(schema)))
        )


def _query_parameters(query: type[msgspec.Struct] | None) -> list[OpenApiParameter]:
    if query is None:
        return []
    inline = _Components()
    schema = inline.resolved(inline.schema(query) or {})
    required = schema.get("required", ())
    return [
        OpenApiParameter(name, property_, OpenApiParameter.QUERY, required=name in required)
        for name, property_ in schema["properties"].items()
    ]


def _response(status: int, schema: Schema | None) -> OpenApiResponse:
    return OpenApiResponse(response=schema, description=_MEANINGS.get(status, ""))


class BearerScheme(OpenApiAuthenticationExtension):
    """People's tokens, as the OpenAPI document describes them."""

    target_class = "users.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class SignatureScheme(OpenApiAuthenticationExtension):
    """Services' signatures, as the OpenAPI document describes them."""

    target_class = "users.authentication.SignatureAuthentication"
    name = "signature"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Signature",
            "description": "HTTP Message Signatures (RFC 9421) with `alg=hmac-sha256` and the label `sig1`.",
        }
