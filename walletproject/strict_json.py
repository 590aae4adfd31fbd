"""Request bodies as strict JSON: what two readers could understand differently is refused, and never a 500."""

import json
import math
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import IO, Any, NoReturn

import msgspec
from django.conf import settings
from rest_framework.parsers import BaseParser

NESTING_LIMIT = 32
# No number that means something to us has more; an amount out of range is still told so by name.
DIGITS_LIMIT = 40


class MalformedJson(Exception):
    """The body can't be read as one JSON object with one meaning."""

    code = "malformed_json"
    title = "Malformed JSON"


class BodyTooLarge(Exception):
    """The body is longer than the endpoint takes."""

    code = "body_too_large"
    title = "Body too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may have {limit} bytes at most.")
        self.data = {"limit": limit}


class StrictJSONParser(BaseParser):
    """DRF parser of a JSON object, at most the view's `body_limit` in bytes."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body as a dictionary, or as the list that a view takes under another media type. Raises MalformedJson,
        BodyTooLarge.
        """
        context = parser_context or {}
        limit = getattr(context.get("view"), "body_limit", settings.BODY_LIMIT)
        request = context.get("request")
        if request is not None and _announced_length(request.META) > limit:
            raise BodyTooLarge(limit)
        raw = read_at_most(stream, limit + 1)
        if len(raw) > limit:
            raise BodyTooLarge(limit)
        kinds = getattr(context.get("view"), "media_types", {})
        return parse(raw, kinds.get((media_type or "").partition(";")[0].strip().lower(), dict))


def parse(raw: bytes, kind: type[dict[str, Any]] | type[list[Any]] = dict) -> Any:
    """The JSON object (or array) in `raw`: integers as int, other numbers as finite float. Raises MalformedJson."""
    value = _decode_plain(raw)
    if value is _NOT_PLAIN:
        value = _decode(raw)
    if type(value) is not kind:
        raise MalformedJson(f"The body must be a JSON {'object' if kind is dict else 'array'}.")
    # The costly looks are taken only at bodies whose bytes could hide what they look for.
    brackets = raw.count(b"{") + raw.count(b"[")
    if brackets > NESTING_LIMIT and _is_deeper_than(NESTING_LIMIT, value, brackets):
        raise MalformedJson(f"The body is nested deeper than {NESTING_LIMIT}.")
    # One byte is found much sooner than two.
    if b"\\" in raw and b"\\u" in raw:
        _refuse_unstorable_text(value)
    return value


def read_at_most(stream: IO[bytes], size: int) -> bytes:
    """The stream's bytes up to `size`, however small the pieces are in which they come."""
    pieces, missing = [], size
    while missing > 0 and (piece := stream.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _announced_length(meta: Mapping[str, Any]) -> int:
    try:
        return int(meta.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


_NOT_PLAIN = object()
_ALL_ZEROS, _TOO_MANY_ZEROS = bytes.maketrans(b"123456789", b"0" * 9), b"0" * (DIGITS_LIMIT + 1)


def _decode_plain(raw: bytes) -> Any:
    """The value of what is written, blanks aside, as msgspec writes it: no key in it can have come twice, and no number
    been another. That is most of what comes, and read in half of the time. All else is _NOT_PLAIN.
    """
    try:
        value = msgspec.json.decode(raw)
        written = msgspec.json.encode(value)
        if written != raw and written != msgspec.json.format(raw, indent=-1):
            return _NOT_PLAIN
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return _NOT_PLAIN
    # A whole number may still be too long. What only seems to be one, as in a text, is read with more care.
    return _NOT_PLAIN if _TOO_MANY_ZEROS in raw.translate(_ALL_ZEROS) else value


def _decode(raw: bytes) -> Any:
    try:
        return _decoder.decode(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedJson("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"{error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise MalformedJson(f"The body is nested deeper than {NESTING_LIMIT}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson("A key appears twice in the same object.")
    return members


def _integer(token: str) -> int:
    if len(token.lstrip("-")) > DIGITS_LIMIT:
        raise MalformedJson(f"A number has more than {DIGITS_LIMIT} digits.")
    return int(token)


def _fraction(token: str) -> float:
    if len(token) > DIGITS_LIMIT or not math.isfinite(number := float(token)):
        raise MalformedJson("A number is out of range.")
    return number


def _constant(token: str) -> NoReturn:
    raise MalformedJson(f"{token} is not JSON.")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
)


_CONTAINERS = {dict, list}


def _all_children(level: list[dict[str, Any] | list[Any]]) -> Iterator[Any]:
    return chain.from_iterable([each.values() if type(each) is dict else each for each in level])


def _is_deeper_than(limit: int, value: Any, brackets: int) -> bool:
    """Whether a value that was written with so many brackets, some of them perhaps in texts, is nested so deep."""
    level = [value]
    for _ in range(limit):
        brackets -= len(level)
        if not brackets or _CONTAINERS.isdisjoint(map(type, _all_children(level))):
            return False
        level = [child for child in _all_children(level) if type(child) in _CONTAINERS]
    return True


def _texts(value: Any) -> Iterator[str]:
    """Every key and string below `value`, which is not nested deeper than the limit."""
    if type(value) is str:
        yield value
    elif type(value) is dict:
        yield from value
        for child in value.values():
            yield from _texts(child)
    elif type(value) is list:
        for child in value:
            yield from _texts(child)


def _refuse_unstorable_text(value: Any) -> None:
    for text in _texts(value):
        if "\x00" in text:
            raise MalformedJson("A string contains NUL.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise MalformedJson("A string contains half of a surrogate pair.") from None
