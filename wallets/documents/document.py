"""A document: a head, figures, and tables of rows. It knows nothing of the files that it becomes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import NamedTuple

Cell = str | int | date | datetime | None
DATE = "%Y-%m-%d %H:%M:%S"


class Kind(Enum):
    """What stands in a column."""

    TEXT = "text"
    # A text that on paper stands in small print below the text before it.
    NOTE = "note"
    NUMBER = "number"
    # Minor units of the section's currency.
    MONEY = "money"
    # A moment or a day, in UTC.
    DATE = "date"


class Column(NamedTuple):
    """A column, and what stands in it."""

    title: str
    kind: Kind = Kind.TEXT

    @property
    def is_right(self) -> bool:
        """Whether it is aligned at the right, as numbers are."""
        return self.kind in (Kind.NUMBER, Kind.MONEY)


class Row(NamedTuple):
    """One line of a table, a cell for each column; strong ones are balances and totals."""

    cells: tuple[Cell, ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A table in one currency. Its rows are made anew each time, so that a long one is never whole in memory."""

    columns: Sequence[Column]
    rows: Callable[[], Iterable[Row]]
    currency: str
    exponent: int
    title: str = ""
    empty: str = "Nothing in this period."

    def lines(self) -> Iterator[Row]:
        """Its rows, from the first on."""
        return iter(self.rows())


@dataclass(frozen=True, slots=True)
class Document:
    """What every file of it says. `head` are labels and texts; `lines` say the same on paper, the first one strongest.

    `figures` are the few amounts that matter most, in the currency of the first section. `stem` names its files.
    """

    title: str
    stem: str
    head: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    lines: Sequence[str] = ()
    figures: Sequence[tuple[str, int]] = ()
    period: str = ""
    foot: str = ""
    author: str = field(default="")

    def watched(self, told: Callable[[], object]) -> "Document":
        """The same, of which each line is told as it is read."""

        def rows(section: Section) -> Iterator[Row]:
            for row in section.rows():
                told()
                yield row

        return replace(self, sections=[replace(one, rows=partial(rows, one)) for one in self.sections])


def major(amount: int, exponent: int) -> Decimal:
    """Minor units as the currency is written, exactly: 1170 with exponent 2 is 11.70."""
    return Decimal(amount).scaleb(-exponent)


def day(when: date) -> str:
    """A day as a person writes it: 1 Jan 2026."""
    return f"{when.day} {when:%b} {when.year}"


def between(since: date, until: date) -> str:
    """A period as a person writes it."""
    return day(since) if since == until else f"{day(since)} – {day(until)}"
