"""CloudEvents 1.0 as we read them: the envelope says who and when, `data` how much."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import unquote

from msgspec import Meta, Struct

from users.api import wire
from users.validation import FieldError, ValidationError

T = TypeVar("T")
Attribute = Annotated[str, Meta(min_length=1, max_length=200)]
MEDIA_TYPE, BATCH_MEDIA_TYPE = "application/cloudevents+json", "application/cloudevents-batch+json"
# Where an attribute of the envelope stands for a field of ours.
NAMES = {"event_id": "id", "source": "source", "meter": "type", "wallet": "subject", "occurred_at": "time"}


class CloudEvent(Struct, frozen=True, kw_only=True):
    """An event in its envelope. Extension attributes are let pass, and say nothing to us."""

    specversion: Literal["1.0"]
    id: Attribute
    source: Attribute
    type: Attribute
    subject: Attribute | None = None
    time: str | None = None
    datacontenttype: Annotated[str, Meta(pattern="^application/json")] | None = None
    data: dict[str, Any]


def enveloped(headers: Mapping[str, str], data: Any) -> CloudEvent:
    """The event in binary mode: its attributes are headers, and the body is its data. Raises ValidationError."""
    return attributed({name.lower(): unquote(text) for name, text in headers.items()}, data, prefix="ce-")


def attributed(headers: Mapping[str, str], data: Any, *, prefix: str) -> CloudEvent:
    """The event whose attributes are told beside its data, under names with a prefix. Raises ValidationError."""
    names = ("specversion", "id", "source", "type", "subject", "time")
    said = {name: headers[f"{prefix}{name}"] for name in names if f"{prefix}{name}" in headers}
    return wire.convert({**said, "data": data}, CloudEvent)


def is_cloudy(item: Any) -> bool:
    """Whether an item is in an envelope, under whatever media type it came."""
    return isinstance(item, dict) and "specversion" in item


def native(event: CloudEvent, type_: type[T]) -> T:
    """The event as a body of ours: what `data` leaves out, its envelope says. Raises ValidationError, with the fields
    as the envelope names them.
    """
    said = {field: getattr(event, name) for field, name in NAMES.items()}
    fields = {field: value for field, value in said.items() if value is not None} | event.data
    try:
        return wire.convert(fields, type_)
    except ValidationError as error:
        raise ValidationError([_renamed(each, event.data) for each in error.errors]) from error


def _renamed(error: FieldError, data: dict[str, Any]) -> FieldError:
    field = error["field"]
    name = NAMES.get(field, field) if field not in data and field in NAMES else f"data.{field}"
    return FieldError(field=name, code=error["code"], detail=error["detail"])
