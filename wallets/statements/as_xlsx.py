"""A statement as an Excel workbook: written row by row to a file on disk, with no formula in it."""

import tempfile
from collections.abc import Mapping
from datetime import UTC
from typing import IO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from wallets.history import Item
from wallets.statements import table
from wallets.statements.statement import Statement

# Excel's numbers keep fifteen digits; anything longer is text, so that none of it is lost.
EXACT = 10**15
WIDTHS = (10, 20, 12, 42, 24, 38, 18, 18, 18)
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write(statement: Statement) -> IO[bytes]:
    """An open temporary file with the workbook in it, at its start; it is gone when it is closed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        _Sheet(book, statement).write()
    file.seek(0)
    return file


class _Sheet:
    """The one sheet, filled from the top: in constant memory, a row that has been passed can't be gone back to."""

    def __init__(self, book: xlsxwriter.Workbook, statement: Statement) -> None:
        self.statement, self.exponent, self.row = statement, statement.exponent, 0
        self.sheet: Worksheet = book.add_worksheet("Statement")
        point = f".{'0' * self.exponent}" if self.exponent else ""
        money = {"num_format": f"#,##0{point}", "align": "right"}
        self.plain, self.bold = book.add_format(), book.add_format({"bold": True})
        self.header = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF1F5"})
        self.right_header = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF1F5", "align": "right"})
        self.money, self.bold_money = book.add_format(money), book.add_format({**money, "bold": True})
        self.date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
        for column, width in enumerate(WIDTHS):
            self.sheet.set_column(column, column, width)

    def write(self) -> None:
        statement = self.statement
        for label, text in table.head(statement):
            self._texts({0: label}, self.bold)
            self._texts({1: text}, self.plain)
            self.row += 1
        self.row += 1
        self._columns()
        self._balance(table.OPENING, statement.since.isoformat(), {8: statement.opening})
        for item in statement.lines():
            self._line(item)
        sums = {6: statement.total_in, 7: statement.total_out, 8: statement.closing}
        self._balance(table.CLOSING, statement.until.isoformat(), sums)

    def _columns(self) -> None:
        for column, name in enumerate(table.COLUMNS):
            self.sheet.write_string(self.row, column, name, self.right_header if column >= 6 else self.header)
        self.row += 1
        self.sheet.freeze_panes(self.row, 0)

    def _balance(self, label: str, day: str, amounts: dict[int, int]) -> None:
        self._texts({1: day, 2: label}, self.bold)
        self._amounts(amounts, self.bold_money)
        self.row += 1

    def _line(self, item: Item) -> None:
        came_in, went_out = table.in_and_out(item)
        self.sheet.write_number(self.row, 0, item.sequence)
        self.sheet.write_datetime(self.row, 1, item.created_at.astimezone(UTC).replace(tzinfo=None), self.date)
        counterparty = str(item.counterparty) if item.counterparty else ""
        self._texts({2: item.type, 3: item.description, 4: item.reference, 5: counterparty}, self.plain)
        self._amounts({6: came_in, 7: went_out, 8: item.balance_after}, self.money)
        self.row += 1

    def _texts(self, texts: Mapping[int, str], look: Format) -> None:
        for column, text in texts.items():
            if text:
                self.sheet.write_string(self.row, column, text, look)

    def _amounts(self, amounts: Mapping[int, int | None], look: Format) -> None:
        for column, amount in amounts.items():
            if amount is None:
                continue
            value = table.major(amount, self.exponent)
            if abs(amount) < EXACT:
                self.sheet.write_number(self.row, column, value, look)
            else:
                self.sheet.write_string(self.row, column, f"{value:,f}", look)
