"""Files of usage events as commands read them: a line is an event, and its bytes are counted."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from users.api import wire
from users.validation import ValidationError
from wallets.api.events import EventIn, event_of
from wallets.usage.events import Event

FIELDS = ("event_id", "source", "wallet", "meter", "quantity", "occurred_at")


class Line(NamedTuple):
    """A line: where it ends, and its event, or what is wrong with it."""

    end: int
    event: Event | None
    trouble: str = ""


def lines(path: Path, offset: int, sent_by: str) -> Iterator[Line]:
    """The lines from an offset on: NDJSON, or CSV with a heading where the file is called so.

    Raises ValidationError for a heading that lacks a field.
    """
    with path.open("rb") as file:
        read = _rows(file.readline()) if path.suffix.lower() == ".csv" else msgspec.json.decode
        file.seek(max(offset, file.tell()))
        while line := file.readline():
            if line.strip():
                yield _line(line, file.tell(), read, sent_by)


def _line(line: bytes, end: int, read: Callable[[bytes], Any], sent_by: str) -> Line:
    try:
        return Line(end, event_of(wire.convert(read(line), EventIn), sent_by))
    except ValidationError as error:
        return Line(end, None, "; ".join(f"{each['field']}: {each['detail']}" for each in error.errors))
    except ValueError as error:
        return Line(end, None, str(error))


def _rows(heading: bytes) -> Callable[[bytes], Any]:
    """How a row is read under a heading: further columns are properties, but for those that are empty."""
    names = next(csv.reader([heading.decode("utf-8-sig")]), [])
    if missing := [name for name in FIELDS if name not in names]:
        raise ValidationError.on("", "invalid", f"The heading lacks {', '.join(missing)}.")

    def read(line: bytes) -> dict[str, Any]:
        row = dict(zip(names, next(csv.reader([line.decode()])), strict=True))
        properties = {name: value for name, value in row.items() if name not in FIELDS and value}
        return {name: row[name] for name in FIELDS} | {"properties": properties}

    return read
