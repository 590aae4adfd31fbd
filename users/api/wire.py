"""From what came over the wire to a struct, or to a refusal that names every field that was wrong."""

import re
import types
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta
from rest_framework.request import Request

from users.validation import FieldError, ValidationError

__all__ = [
    "Amount",
    "FieldError",
    "LongText",
    "Metadata",
    "Moment",
    "Text",
    "ValidationError",
    "in_utc",
    "query",
    "read",
    "spelt",
]

T = TypeVar("T")

Amount = Annotated[int, Meta(ge=1, le=10**15, description="Minor units of the currency.", examples=[1170])]
Text = Annotated[str, Meta(max_length=200)]
LongText = Annotated[str, Meta(max_length=1000)]
Moment = Annotated[datetime, Meta(tz=True)]
# Whole numbers that every JSON reader keeps exact.
_SafeInteger = Annotated[int, Meta(ge=-(2**53) + 1, le=2**53 - 1)]
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=500)] | _SafeInteger | bool | None],
    Meta(max_length=50),
]

# A batch of 10,000 wrong items needn't be answered with 10,000 complaints.
_MOST_ERRORS = 100
_OUT_OF_RANGE = re.compile(r"Expected `(int|float|decimal)` [<>]|out of range")
_PLACE = re.compile(r" - at `[^`]*`$")


def spelt(pattern: str, **more: Any) -> Meta:
    """That a text is spelt by a pattern from its first to its last letter: `$` would let a line feed follow."""
    return Meta(pattern=rf"^{pattern}\Z", **more)


def read(request: Request, type_: type[T]) -> T:
    """The body as a struct; raises ValidationError with every wrong field."""
    return convert(request.data, type_)


def query(request: Request, type_: type[T]) -> T:
    """The query parameters as a struct, each given once at most; raises ValidationError with every wrong one."""
    values = {}
    for name, given in request.query_params.lists():
        if len(given) > 1:
            raise ValidationError.on(name, "invalid", "Give this parameter once.")
        if "\0" in given[0]:
            raise ValidationError.on(name, "invalid", "NUL isn't text.")
        values[name] = given[0]
    return convert(values, type_, strict=False)


def convert(value: Any, type_: type[T], *, strict: bool = True) -> T:
    """Plain data as a value of a type; raises ValidationError with every wrong field."""
    try:
        return msgspec.convert(value, type_, strict=strict)
    except msgspec.ValidationError as error:
        if not isinstance(value, Mapping):
            raise ValidationError.on("", "invalid", "Send an object.") from error
        errors = list(islice(_errors(value, type_, "", strict), _MOST_ERRORS))
        raise ValidationError(errors or [_refusal("", error)]) from error


def in_utc(moment: datetime, field: str) -> datetime:
    """The same moment in UTC: PostgreSQL doesn't take every offset. Raises ValidationError beyond the calendar."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValidationError.on(field, "out_of_range", "Choose a moment in the years 1 to 9999, in UTC.") from error


def _errors(value: Any, type_: Any, path: str, strict: bool) -> Iterator[FieldError]:
    """What is wrong within a value, innermost first: slow, and only for values that have failed."""
    inner = list(islice(_inner_errors(value, type_, path, strict), _MOST_ERRORS))
    yield from inner
    if not inner:
        try:
            msgspec.convert(value, type_, strict=strict)
        except msgspec.ValidationError as error:
            yield _refusal(path, error)


def _inner_errors(value: Any, type_: Any, path: str, strict: bool) -> Iterator[FieldError]:
    composite = _composite(value, type_)
    if isinstance(composite, type) and issubclass(composite, msgspec.Struct):
        yield from _struct_errors(value, composite, path, strict)
    elif get_origin(composite) is list:
        (item_type,) = get_args(composite)
        for index, item in enumerate(value):
            yield from _errors(item, item_type, _join(path, index), strict)
    elif get_origin(composite) is dict:
        for key, item in value.items():
            yield from _errors(item, get_args(composite)[1], _join(path, key), strict)


def _struct_errors(
    value: Mapping[str, Any], struct: type[msgspec.Struct], path: str, strict: bool
) -> Iterator[FieldError]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    if struct.__struct_config__.forbid_unknown_fields:
        for name in value.keys() - fields.keys():
            known = ", ".join(fields)
            detail = f"There is no such field; there are: {known}."
            yield FieldError(field=_join(path, name), code="unknown_field", detail=detail)
    for name, field in fields.items():
        if name in value:
            yield from _errors(value[name], field.type, _join(path, name), strict)
        elif field.required:
            yield FieldError(field=_join(path, name), code="required", detail="This field is required.")


def _composite(value: Any, type_: Any) -> Any:
    """The struct, list or dict type that a value was meant for, or None where it fits none: then it is a leaf."""
    origin = get_origin(type_)
    if origin is Annotated:
        return _composite(value, get_args(type_)[0])
    if origin in (Union, types.UnionType):
        return next(filter(None, (_composite(value, member) for member in get_args(type_))), None)
    if isinstance(value, dict):
        is_struct = isinstance(type_, type) and issubclass(type_, msgspec.Struct)
        return type_ if is_struct or origin is dict else None
    return type_ if isinstance(value, list) and origin is list else None


def _refusal(path: str, error: msgspec.ValidationError) -> FieldError:
    message = _PLACE.sub("", str(error))
    code = "out_of_range" if _OUT_OF_RANGE.search(message) else "invalid"
    return FieldError(field=path, code=code, detail=message.replace("`", "") + ".")


def _join(path: str, name: str | int) -> str:
    return f"{path}.{name}" if path else str(name)
