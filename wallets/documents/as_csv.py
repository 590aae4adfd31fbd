"""A document as CSV, in pieces: as long as it may be, memory holds a few lines of it."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from io import StringIO
from itertools import islice

from wallets.documents.document import DATE, Cell, Column, Document, Kind, Row, Section, major

# What a spreadsheet takes for the start of a formula, the full-width forms that some of them read as the same included.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
CONTROL = ("\t", "\r", "\n")
PIECE = 500


def stream(document: Document) -> Iterator[str]:
    """The head, then for each table a blank line, its title where it has one, its columns, and its rows.

    A table ends with a balance or total where it has one: without it, the file has been cut short.
    """
    yield _text((label, inert(text)) for label, text in document.head)
    for section in document.sections:
        titles = [(section.title,)] if section.title else []
        yield _text([(), *titles, [column.title for column in section.columns]])
        lines = section.lines()
        while piece := list(islice(lines, PIECE)):
            yield _text(_row(row, section) for row in piece)


def inert(text: str) -> str:
    """A text that no spreadsheet runs: what looks like a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(CONTROL) or text.lstrip().startswith(FORMULA) else text


def _row(row: Row, section: Section) -> list[str]:
    return [_cell(cell, column, section) for cell, column in zip(row.cells, section.columns, strict=True)]


def _cell(cell: Cell, column: Column, section: Section) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.astimezone(UTC).strftime(DATE)
        case date():
            return cell.isoformat()
        case int() if column.kind is Kind.MONEY:
            return f"{major(cell, section.exponent):f}"
        case int():
            return str(cell)
    return inert(cell)


def _text(rows: Iterable[Iterable[object]]) -> str:
    piece = StringIO()
    csv.writer(piece).writerows(rows)
    return piece.getvalue()
