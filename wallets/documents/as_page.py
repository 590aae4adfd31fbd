"""A document on a page of the back office: its first rows, and whether there are more than those."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from backoffice import cells
from backoffice.tables import Column, Figure, Table
from wallets.documents.document import Cell, Document, Kind, Row, Section, day

MOST = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a document; `is_whole` where that is all of it."""

    figures: Sequence[Figure]
    tables: Sequence[Table]
    is_whole: bool


def show(document: Document, most: int = MOST) -> Shown:
    """The figures, and of each table the first rows."""
    first = document.sections[0]
    figures = [Figure(label, cells.money(amount, first.currency)) for label, amount in document.figures]
    rows = [list(islice(section.lines(), most + 1)) for section in document.sections]
    tables = [_table(section, found[:most]) for section, found in zip(document.sections, rows, strict=True)]
    return Shown(figures, tables, all(len(found) <= most for found in rows))


def _table(section: Section, rows: Sequence[Row]) -> Table:
    columns = [Column(column.title, number=column.is_right) for column in section.columns]
    body = [_cells(section, row) for row in rows]
    # Totals stand below the others, set apart.
    last = len(body) - 1 if rows and rows[-1].strong and len(rows) > 1 else len(body)
    # Amounts stand without their currency, so that a page has room for them.
    return Table(section.title or section.currency, columns, body[:last], empty=section.empty, total=body[last:])


def _cells(section: Section, row: Row) -> list[Any]:
    return [_cell(cell, column.kind, section) for cell, column in zip(row.cells, section.columns, strict=True)]


def _cell(cell: Cell, kind: Kind, section: Section) -> Any:
    match cell:
        case None:
            return ""
        case datetime():
            return cells.moment(cell)
        case date():
            return day(cell)
        case int() if kind is Kind.MONEY:
            return cells.amount(cell, section.currency)
        case int():
            return f"{cell:,}"
    return cells.abridged(cell)
