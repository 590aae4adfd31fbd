"""A statement as PDF: laid out first, so that every page knows how many there are, then drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from io import BytesIO
from threading import Lock

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from wallets.history import Item
from wallets.statements import table
from wallets.statements.fonts import BOLD, REGULAR, fitting, printable, wrap
from wallets.statements.statement import Statement

WIDTH, HEIGHT = A4
MARGIN = 42
RIGHT = WIDTH - MARGIN
# Where the first page's table starts, where the others' do, and where all of them end.
FIRST_TOP, NEXT_TOP, BOTTOM = HEIGHT - 226, HEIGHT - 74, 66
SIZE, SMALL, LEADING, PADDING = 8.5, 7, 11, 10
INK, GREY, RULE, BAND = HexColor("#1F2933"), HexColor("#66717F"), HexColor("#D5DAE1"), HexColor("#F3F5F8")

# The left edges of texts, and the right edges of amounts with the room that each has.
NUMBER, DATE, DETAILS, DETAILS_WIDTH = MARGIN, MARGIN + 38, MARGIN + 96, 178
IN, OUT, BALANCE = RIGHT - 160, RIGHT - 84, RIGHT
AMOUNT_WIDTH = 74

# Fonts are shared by all threads, and reading letters out of them for a file isn't safe in two at once.
_saving = Lock()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, its texts broken to their width; strong ones are the balances at either end."""

    number: str
    date: str
    texts: list[str]
    notes: list[str]
    amounts: tuple[str, str, str]
    strong: bool = False

    @property
    def height(self) -> float:
        return PADDING + LEADING * (len(self.texts) + len(self.notes))


def write(statement: Statement) -> BytesIO:
    """The PDF, at its start."""
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setTitle(f"Statement {statement.since} to {statement.until}")
    canvas.setAuthor(printable(statement.owner))
    pages = list(_pages(_rows(statement)))
    for number, rows in enumerate(pages, 1):
        top = _first_head(canvas, statement) if number == 1 else _next_head(canvas, statement)
        _table(canvas, rows, top)
        _foot(canvas, statement, number, len(pages))
        canvas.showPage()
    with _saving:
        canvas.save()
    file.seek(0)
    return file


def _rows(statement: Statement) -> Iterator[Row]:
    exponent = statement.exponent
    first, last = _day(statement.since), _day(statement.until)
    opening, closing = _money(statement.opening, exponent), _money(statement.closing, exponent)
    yield Row("", first, [table.OPENING], [], ("", "", opening), strong=True)
    for item in statement.lines():
        yield _row(item, exponent)
    sums = _money(statement.total_in, exponent), _money(statement.total_out, exponent)
    yield Row("", last, [table.CLOSING], [], (*sums, closing), strong=True)


def _row(item: Item, exponent: int) -> Row:
    kind, description = item.type.capitalize(), printable(item.description)
    note = " · ".join(filter(None, [kind if description else "", printable(item.reference)]))
    came_in, went_out = table.in_and_out(item)
    other = f"{'to' if came_in is None else 'from'} wallet {item.counterparty}" if item.counterparty else ""
    return Row(
        str(item.sequence), _day(item.created_at.astimezone(UTC)),
        wrap(description or kind, REGULAR, SIZE, DETAILS_WIDTH),
        [line for text in (note, other) for line in wrap(text, REGULAR, SMALL, DETAILS_WIDTH)],
        (_money(came_in, exponent), _money(went_out, exponent), _money(item.balance_after, exponent)),
    )  # fmt: skip


def _pages(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """The rows that go on each page, whole rows only."""
    page: list[Row] = []
    room = FIRST_TOP - BOTTOM
    for row in rows:
        if row.height > room:
            yield page
            page, room = [], NEXT_TOP - BOTTOM
        page.append(row)
        room -= row.height
    yield page


def _first_head(canvas: Canvas, statement: Statement) -> float:
    wallet = statement.wallet
    _left(canvas, MARGIN, HEIGHT - 62, "Statement", BOLD, 22)
    _right(canvas, RIGHT, HEIGHT - 56, _period(statement), BOLD, 10, WIDTH / 2)
    _right(canvas, RIGHT, HEIGHT - 70, "both days included, UTC", REGULAR, SMALL, WIDTH / 2, GREY)
    name = f"{wallet.name}, {wallet.currency}" if wallet.name else f"Wallet in {wallet.currency}"
    for baseline, text, font, size, colour in (
        (HEIGHT - 92, statement.owner, BOLD, 10, INK),
        (HEIGHT - 107, name, REGULAR, 9, INK),
        (HEIGHT - 120, str(wallet.id), REGULAR, SMALL, GREY),
    ):
        text = printable(text)
        _left(canvas, MARGIN, baseline, text, font, fitting(text, font, size, RIGHT - MARGIN), colour)
    _summary(canvas, statement)
    return FIRST_TOP


def _summary(canvas: Canvas, statement: Statement) -> None:
    """The four figures that add up, side by side."""
    canvas.setFillColor(BAND)
    canvas.roundRect(MARGIN, HEIGHT - 184, RIGHT - MARGIN, 46, 5, stroke=0, fill=1)
    figures = (
        (table.OPENING, statement.opening), ("Money in", statement.total_in),
        ("Money out", statement.total_out), (table.CLOSING, statement.closing),
    )  # fmt: skip
    step = (RIGHT - MARGIN) / len(figures)
    for index, (label, amount) in enumerate(figures):
        left, text = MARGIN + index * step + 12, _money(amount, statement.exponent)
        _left(canvas, left, HEIGHT - 154, label, REGULAR, SMALL, GREY)
        _left(canvas, left, HEIGHT - 171, text, BOLD, fitting(text, BOLD, 12, step - 20))


def _next_head(canvas: Canvas, statement: Statement) -> float:
    _left(canvas, MARGIN, HEIGHT - 48, "Statement", BOLD, 10)
    _right(canvas, RIGHT, HEIGHT - 48, _period(statement), REGULAR, SIZE, WIDTH / 2, GREY)
    return NEXT_TOP


def _table(canvas: Canvas, rows: list[Row], top: float) -> None:
    for left, label in ((NUMBER, "No."), (DATE, "Date"), (DETAILS, "Details")):
        _left(canvas, left, top + 7, label, BOLD, SMALL, GREY)
    for right, label in ((IN, "In"), (OUT, "Out"), (BALANCE, "Balance")):
        _right(canvas, right, top + 7, label, BOLD, SMALL, AMOUNT_WIDTH, GREY)
    _rule(canvas, top, INK)
    for row in rows:
        _draw(canvas, row, top)
        top -= row.height
        _rule(canvas, top, RULE)


def _draw(canvas: Canvas, row: Row, top: float) -> None:
    baseline, font = top - PADDING / 2 - SIZE, BOLD if row.strong else REGULAR
    _left(canvas, NUMBER, baseline, row.number, REGULAR, fitting(row.number, REGULAR, SIZE, 36), GREY)
    _left(canvas, DATE, baseline, row.date, font, SIZE)
    for right, amount in zip((IN, OUT, BALANCE), row.amounts, strict=True):
        _right(canvas, right, baseline, amount, font, SIZE, AMOUNT_WIDTH)
    for text in row.texts:
        _left(canvas, DETAILS, baseline, text, font, SIZE)
        baseline -= LEADING
    for note in row.notes:
        _left(canvas, DETAILS, baseline, note, REGULAR, SMALL, GREY)
        baseline -= LEADING


def _foot(canvas: Canvas, statement: Statement, number: int, count: int) -> None:
    _rule(canvas, 46, RULE)
    _left(canvas, MARGIN, 34, f"Wallet {statement.wallet.id}", REGULAR, SMALL, GREY)
    _right(canvas, RIGHT, 34, f"Page {number} of {count}", REGULAR, SMALL, WIDTH / 2, GREY)


def _left(
    canvas: Canvas, left: float, baseline: float, text: str, font: str, size: float, colour: HexColor = INK
) -> None:
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    canvas.drawString(left, baseline, text)


def _right(
    canvas: Canvas, right: float, baseline: float, text: str, font: str, size: float, width: float,
    colour: HexColor = INK,
) -> None:  # fmt: skip
    """Text that ends at `right`, smaller where it is wider than `width`."""
    canvas.setFont(font, fitting(text, font, size, width))
    canvas.setFillColor(colour)
    canvas.drawRightString(right, baseline, text)


def _rule(canvas: Canvas, height: float, colour: HexColor) -> None:
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, height, RIGHT, height)


def _money(amount: int | None, exponent: int) -> str:
    return "" if amount is None else f"{table.major(amount, exponent):,f}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"


def _period(statement: Statement) -> str:
    return f"{_day(statement.since)} – {_day(statement.until)}"
