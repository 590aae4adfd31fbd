"""How a table stands on paper: where its columns are, and how high each of its lines."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from reportlab.pdfgen.canvas import Canvas

from wallets.documents.document import Cell, Column, Kind, Row, Section, day, major
from wallets.documents.fonts import BOLD, REGULAR, fitting, printable, wrap
from wallets.documents.paper import GREY, INK, RULE, SIZE, SMALL, Paper, left, right, rule

LEADING, PADDING = 11, 10
WIDTHS = {Kind.NUMBER: 50, Kind.MONEY: 84, Kind.DATE: 60}
# Texts share what the others leave; where that is less for each, the paper is laid on its side.
NARROWEST = 90
SPACE = 8


@dataclass(frozen=True, slots=True)
class Line:
    """A row with its texts broken to the width of their columns, by the number of the column."""

    texts: dict[int, list[str]]
    notes: dict[int, list[str]] = field(default_factory=dict)
    strong: bool = False

    @property
    def height(self) -> float:
        lines = [len(texts) + len(self.notes.get(number, ())) for number, texts in self.texts.items()]
        return PADDING + LEADING * max([*lines, 1])


class Layout:
    """The columns of one table on a paper. A note stands below the text before it and takes no width."""

    GAP = 26
    TITLE = 24

    def __init__(self, section: Section, sheet: Paper) -> None:
        self.section, self.sheet = section, sheet
        self.places: dict[int, tuple[float, float]] = {}
        flexible = (sheet.right - sheet.left - _fixed(section)) / max(_texts(section), 1) if _texts(section) else 0
        at = sheet.left
        for number, column in enumerate(section.columns):
            if column.kind is not Kind.NOTE:
                width = WIDTHS.get(column.kind, flexible)
                self.places[number] = (at, width)
                at += width
        self.notes = _notes(section)

    @classmethod
    def needs_width(cls, section: Section) -> bool:
        """Whether upright paper is too narrow for it."""
        sheet = Paper.upright()
        return (sheet.right - sheet.left - _fixed(section)) / max(_texts(section), 1) < NARROWEST

    def line(self, row: Row) -> Line:
        """A row, laid out."""
        written = [
            printable(self._written(cell, column)) for column, cell in zip(self.section.columns, row.cells, strict=True)
        ]
        texts = {number: [written[number]] if written[number] else [] for number in self.places}
        notes: dict[int, list[str]] = {}
        for number, below in self.notes.items():
            # What has no text of its own is called by the first of its notes.
            main, *small = [text for text in (written[number], *(written[note] for note in below)) if text] or [""]
            texts[number] = wrap(main, BOLD if row.strong else REGULAR, SIZE, self._room(number))
            notes[number] = wrap(" · ".join(small), REGULAR, SMALL, self._room(number))
        return Line(texts, notes, row.strong)

    def remark(self, text: str) -> Line:
        """A line in place of rows."""
        return Line({next(iter(self.places)): [printable(text)]})

    def head_height(self, title: str) -> float:
        """The height of the titles above the lines."""
        return LEADING + PADDING + (self.TITLE if title else 0)

    def draw_head(self, canvas: Canvas, title: str, top: float) -> float:
        """Draw the titles from `top` down; returns where the lines begin."""
        top -= self.head_height(title)
        if title:
            left(canvas, self.sheet.left, top + LEADING + PADDING + 6, printable(title), BOLD, 11)
        for number, column in enumerate(self.section.columns):
            if number not in self.places:
                continue
            edge, width = self.places[number]
            if column.is_right:
                right(canvas, self._end(number), top + 7, column.title, BOLD, SMALL, width - SPACE, GREY)
            else:
                size = fitting(column.title, BOLD, SMALL, width - SPACE)
                left(canvas, edge, top + 7, column.title, BOLD, size, GREY)
        rule(canvas, self.sheet, top, INK)
        return top

    def draw(self, canvas: Canvas, line: Line, top: float) -> None:
        """Draw a line from `top` down, and the rule below it."""
        baseline, font = top - PADDING / 2 - SIZE, BOLD if line.strong else REGULAR
        for number, texts in line.texts.items():
            edge, width = self.places[number]
            height = baseline
            for text in texts:
                if self.section.columns[number].is_right:
                    right(canvas, self._end(number), height, text, font, SIZE, width - SPACE)
                else:
                    left(canvas, edge, height, text, font, fitting(text, font, SIZE, width - SPACE))
                height -= LEADING
            for note in line.notes.get(number, ()):
                left(canvas, edge, height, note, REGULAR, SMALL, GREY)
                height -= LEADING
        rule(canvas, self.sheet, top - line.height, RULE)

    def _end(self, number: int) -> float:
        """Where a column of numbers ends: apart from a text that follows."""
        edge, width = self.places[number]
        follows = [column for column in self.section.columns[number + 1 :] if column.kind is not Kind.NOTE]
        return edge + width - (2 * SPACE if follows and not follows[0].is_right else 0)

    def _room(self, number: int) -> float:
        return self.places[number][1] - SPACE

    def _written(self, cell: Cell, column: Column) -> str:
        match cell:
            case None:
                return ""
            case datetime():
                return day(cell.astimezone(UTC))
            case date():
                return day(cell)
            case int() if column.kind is Kind.MONEY:
                return f"{major(cell, self.section.exponent):,f}"
            case int():
                return f"{cell:,}"
        return cell


def _notes(section: Section) -> dict[int, list[int]]:
    """The columns of texts, each with the notes below it: those that come after it, and before any the first one's."""
    found: dict[int, list[int]] = {}
    early: list[int] = []
    for number, column in enumerate(section.columns):
        if column.kind is Kind.TEXT:
            found[number], early = early, []
        elif column.kind is Kind.NOTE:
            (found[max(found)] if found else early).append(number)
    return found


def _fixed(section: Section) -> float:
    return sum(WIDTHS.get(column.kind, 0) for column in section.columns)


def _texts(section: Section) -> int:
    return sum(column.kind is Kind.TEXT for column in section.columns)
