"""A document as an Excel workbook: written row by row to a file on disk, with no formula in it."""

import re
import tempfile
from datetime import UTC, date, datetime
from typing import IO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from wallets.documents.document import Cell, Document, Kind, Row, Section, major

# Excel's numbers keep fifteen digits; anything longer is text, so that none of it is lost.
EXACT = 10**15
WIDTHS = {Kind.TEXT: 42, Kind.NOTE: 24, Kind.NUMBER: 12, Kind.MONEY: 18, Kind.DATE: 20}
# What the name of a sheet may not contain, nor be longer than.
FORBIDDEN, LONGEST = re.compile(r"[\[\]:*?/\\']"), 31
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write(document: Document) -> IO[bytes]:
    """An open temporary file with the workbook in it, at its start; it is gone when it is closed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        for number, section in enumerate(document.sections, 1):
            name = FORBIDDEN.sub(" ", section.title or document.title)[:LONGEST].strip() or f"Sheet {number}"
            taken = {sheet.get_name().lower() for sheet in book.worksheets()}
            unique = name if name.lower() not in taken else f"{name[: LONGEST - 4]} {number}"
            _Sheet(book, book.add_worksheet(unique), document, section).write()
    file.seek(0)
    return file


class _Sheet:
    """One table, filled from the top: in constant memory, a row that has been passed can't be gone back to."""

    def __init__(self, book: xlsxwriter.Workbook, sheet: Worksheet, document: Document, section: Section) -> None:
        self.sheet, self.document, self.section, self.row = sheet, document, section, 0
        point = f".{'0' * section.exponent}" if section.exponent else ""
        money, grey = {"num_format": f"#,##0{point}", "align": "right"}, {"bottom": 1, "bg_color": "#EEF1F5"}
        self.plain, self.bold = book.add_format(), book.add_format({"bold": True})
        self.header = book.add_format({"bold": True, **grey})
        self.right_header = book.add_format({"bold": True, **grey, "align": "right"})
        self.money, self.bold_money = book.add_format(money), book.add_format({**money, "bold": True})
        self.date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
        for number, column in enumerate(section.columns):
            sheet.set_column(number, number, WIDTHS[column.kind])

    def write(self) -> None:
        for label, text in self.document.head:
            self._text(0, label, self.bold)
            self._text(1, text, self.plain)
            self.row += 1
        self.row += 1
        for number, column in enumerate(self.section.columns):
            look = self.right_header if column.is_right else self.header
            self.sheet.write_string(self.row, number, column.title, look)
        self.row += 1
        self.sheet.freeze_panes(self.row, 0)
        for row in self.section.lines():
            self._line(row)
            self.row += 1

    def _line(self, row: Row) -> None:
        for number, (cell, column) in enumerate(zip(row.cells, self.section.columns, strict=True)):
            if column.kind is Kind.MONEY and isinstance(cell, int):
                self._money(number, cell, self.bold_money if row.strong else self.money)
            else:
                self._cell(number, cell, self.bold if row.strong else self.plain)

    def _cell(self, number: int, cell: Cell, look: Format) -> None:
        match cell:
            case datetime():
                moment = cell.astimezone(UTC).replace(tzinfo=None)
                self.sheet.write_datetime(self.row, number, moment, self.date)
            case date():
                self._text(number, cell.isoformat(), look)
            case int():
                self.sheet.write_number(self.row, number, cell, look)
            case str():
                self._text(number, cell, look)

    def _text(self, number: int, text: str, look: Format) -> None:
        if text:
            self.sheet.write_string(self.row, number, text, look)

    def _money(self, number: int, amount: int, look: Format) -> None:
        value = major(amount, self.section.exponent)
        if abs(amount) < EXACT:
            self.sheet.write_number(self.row, number, value, look)
        else:
            self.sheet.write_string(self.row, number, f"{value:,f}", look)
