"""A statement as CSV, in pieces: as long as it may be, memory holds one chunk of it."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC
from io import StringIO

from wallets.history import Item
from wallets.statements import table
from wallets.statements.statement import Statement

# What a spreadsheet takes for the start of a formula, the full-width forms that some of them read as the same included.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
CONTROL = ("\t", "\r", "\n")


def stream(statement: Statement) -> Iterator[str]:
    """The head, a blank line, the column names, then the opening balance, the lines, and the closing balance.

    The closing line is the last one: without it, the file has been cut short.
    """
    exponent = statement.exponent
    yield _text([
        *((label, inert(text)) for label, text in table.head(statement)),
        (),
        table.COLUMNS,
        ("", statement.since, table.OPENING, "", "", "", "", "", _major(statement.opening, exponent)),
    ])  # fmt: skip
    for chunk in statement.chunks():
        yield _text(_row(item, exponent) for item in chunk)
    sums = (_major(amount, exponent) for amount in (statement.total_in, statement.total_out, statement.closing))
    yield _text([("", statement.until, table.CLOSING, "", "", "", *sums)])


def inert(text: str) -> str:
    """A text that no spreadsheet runs: what looks like a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(CONTROL) or text.lstrip().startswith(FORMULA) else text


def _row(item: Item, exponent: int) -> tuple[object, ...]:
    came_in, went_out = table.in_and_out(item)
    return (
        item.sequence, item.created_at.astimezone(UTC).strftime(table.DATE), item.type, inert(item.description),
        inert(item.reference), item.counterparty or "", _major(came_in, exponent), _major(went_out, exponent),
        _major(item.balance_after, exponent),
    )  # fmt: skip


def _major(amount: int | None, exponent: int) -> str:
    return "" if amount is None else f"{table.major(amount, exponent):f}"


def _text(rows: Iterable[Iterable[object]]) -> str:
    piece = StringIO()
    csv.writer(piece).writerows(rows)
    return piece.getvalue()
