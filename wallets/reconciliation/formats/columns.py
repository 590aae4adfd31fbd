"""Rows of cells read as lines, by a mapping that says which column is what."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any

from wallets.reconciliation.formats import cells
from wallets.reconciliation.formats.cells import CellRefused
from wallets.reconciliation.formats.lines import LONGEST_DESCRIPTION, File, Line, StatementRefused, Trouble

FIELDS = (
    "date", "amount", "debit", "credit", "direction", "currency", "reference", "description", "external_id", "batch",
    "status", "fee", "balance",
)  # fmt: skip
# How far into a file its headings are looked for.
PREAMBLE = 100
SHOWN = 20
_digit = re.compile("[0-9]").search
Row = tuple[int, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Columns:
    """A mapping, as plain data; the model ColumnMapping says what each field means."""

    columns: Mapping[str, str]
    headings: bool = True
    skip_rows: int = 0
    date_formats: Sequence[str] = ()
    decimal: str = "."
    negate: bool = False
    fee_beside: bool = False
    skip_undated: bool = False
    statuses: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = [name for name in self.columns if name not in FIELDS]
        if unknown:
            says = f"The mapping names {', '.join(unknown)}; there are {', '.join(FIELDS)}."
            raise StatementRefused.at(0, "", says)
        if "date" not in self.columns or not {"amount", "debit", "credit"}.intersection(self.columns):
            raise StatementRefused.at(0, "", "The mapping must name the columns of the date, and of the amount.")


def read(rows: Iterable[Row], columns: Columns, currency: str) -> File:
    """The lines of a table for an account of this currency. Raises StatementRefused, with up to twenty troubles."""
    waiting = islice(rows, columns.skip_rows, None)
    places = _places(waiting, columns)
    reader = _Reader(places, columns, currency)
    lines, balances, passed_over, troubles = [], [], 0, []
    for number, row in waiting:
        try:
            line = reader.line(number, row)
        except StatementRefused as refusal:
            troubles += refusal.troubles
            if len(troubles) >= SHOWN:
                break
            continue
        if line is None:
            passed_over += 1
            continue
        lines.append(line)
        if "balance" in places:
            balances.append(reader.cell("balance", number, row))
    if troubles:
        raise StatementRefused(troubles)
    opening, closing = _balances(lines, balances)
    return File(lines, opening=opening, closing=closing, passed_over=passed_over)


def _places(rows: Iterator[Row], columns: Columns) -> dict[str, int]:
    """Where each field stands in a row: by the headings, which are taken off the rows, or by number."""
    if not columns.headings:
        try:
            return {name: int(place) - 1 for name, place in columns.columns.items() if int(place) > 0}
        except ValueError:
            says = "Without headings, the mapping names columns by their numbers, from 1."
            raise StatementRefused.at(0, "", says) from None
    best: list[str] = []
    wanted = {name: _plain(heading) for name, heading in columns.columns.items()}
    for _, row in islice(rows, PREAMBLE):
        found = [_plain(cell) for cell in row]
        if set(wanted.values()) <= set(found):
            return {name: found.index(heading) for name, heading in wanted.items()}
        best = max(best, found, key=lambda headings: len(set(wanted.values()).intersection(headings)))
    missing = [columns.columns[name] for name, heading in wanted.items() if heading not in best]
    there = ", ".join(heading[:40] for heading in best[:20] if heading) or "none"
    says = f"No row has the headings {', '.join(missing)}; the likeliest has {there}. Choose another mapping."
    raise StatementRefused.at(0, "", says)


class _Reader:
    """Reads one row after the other."""

    def __init__(self, places: Mapping[str, int], columns: Columns, currency: str) -> None:
        self.places, self.columns, self.currency = places, columns, currency

    def line(self, number: int, row: Sequence[Any]) -> Line | None:
        """The line of a row; None for one of another currency, of nothing, or without a day where that is allowed."""
        texts = {name: self.text(name, row) for name in ("reference", "external_id", "batch", "description")}
        amounts = ("amount", "debit", "credit")
        if not any(self.text(name, row) for name in ("date", *amounts)):
            return None
        if self.columns.skip_undated and not _digit(self.text("date", row)):
            return None
        if self.text("currency", row).upper() not in ("", self.currency):
            return None
        with_cells = {name: self.cell(name, number, row) for name in ("date", *amounts, "direction", "status", "fee")}
        moved = self._moved(number, with_cells)
        if not moved:
            return None
        texts["description"] = texts["description"][:LONGEST_DESCRIPTION]
        return Line(
            number, with_cells["date"], moved, fee=abs(with_cells["fee"] or 0),
            status=with_cells["status"] or "booked", **texts,
        )  # fmt: skip

    def _moved(self, number: int, found: Mapping[str, Any]) -> int:
        """What the row says that moved, signed, with the fee off where it was taken beside the amount."""
        for name in ("debit", "credit"):
            if (found[name] or 0) < 0:
                says = "A column of its own needs no sign; map it as the amount if it has one."
                raise StatementRefused.at(number, self.columns.columns[name], says)
        moved = (found["amount"] or 0) + (found["credit"] or 0) - (found["debit"] or 0)
        if found["direction"] is not None:
            moved = abs(moved) * found["direction"]
        moved = -moved if self.columns.negate else moved
        return moved - abs(found["fee"] or 0) if self.columns.fee_beside else moved

    def text(self, name: str, row: Sequence[Any]) -> str:
        """A cell as text, "" where there is none."""
        place = self.places.get(name)
        cell = row[place] if place is not None and place < len(row) else None
        return "" if cell is None else str(cell).strip()

    def cell(self, name: str, number: int, row: Sequence[Any]) -> Any:
        """A cell's value, None where it is empty. Raises StatementRefused with its line and column."""
        if name not in self.places or (not self.text(name, row) and name != "date"):
            return None
        raw = row[self.places[name]] if self.places[name] < len(row) else ""
        try:
            match name:
                case "date":
                    return cells.day("" if raw is None else raw, self.columns.date_formats)
                case "status":
                    return cells.status(raw, self.columns.statuses)
                case "direction":
                    return cells.sign(raw)
                case _:
                    return cells.amount(raw, self.columns.decimal, self.currency)
        except CellRefused as refusal:
            raise StatementRefused([Trouble(number, self.columns.columns[name], str(refusal))]) from refusal


def _balances(lines: Sequence[Line], balances: Sequence[int | None]) -> tuple[int | None, int | None]:
    """Opening and closing of a table with running balances, oldest or newest first. Raises StatementRefused where a
    line doesn't lead from one to the next.
    """
    if not lines or not balances or None in balances:
        return None, None
    told = list(zip(lines, [balance for balance in balances if balance is not None], strict=True))
    gap = _gap(told)
    if gap is not None and _gap(told[::-1]) is None:
        told, gap = told[::-1], None
    if gap is not None:
        says = "The balance isn’t the one before plus this line: lines are missing, or the mapping has a sign wrong."
        raise StatementRefused.at(gap, "balance", says)
    return told[0][1] - told[0][0].moved, told[-1][1]


def _gap(told: Sequence[tuple[Line, int]]) -> int | None:
    """The number of the first line that doesn't follow from the one before, or None."""
    return next(
        (line.number for (_, before), (line, after) in pairwise(told) if before + line.moved != after),
        None,
    )


def _plain(heading: Any) -> str:
    return " ".join(str("" if heading is None else heading).split()).casefold()
