"""What stands above and below the fields of a page: a row of figures, and tables of what belongs to the object."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that a reader looks for first, and where it leads."""

    title: str
    value: SafeString | str
    strong: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numbers stand at the right."""

    title: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that belong to an object. `total` is one more row, set apart; `more` is a link to the rest of them. What is
    to be compared stands `beside` its neighbour, where there is room for both.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    empty: str = "Nothing yet."
    total: Sequence[Sequence[Any]] = field(default=())
    more: SafeString | str = ""
    beside: bool = False

    @property
    def body(self) -> list[list[tuple[Column, Any]]]:
        """The rows, each cell with its column."""
        return self._cells(self.rows)

    @property
    def foot(self) -> list[list[tuple[Column, Any]]]:
        """The totals, each cell with its column."""
        return self._cells(self.total)

    def _cells(self, rows: Sequence[Sequence[Any]]) -> list[list[tuple[Column, Any]]]:
        return [list(zip(self.columns, row, strict=True)) for row in rows]
