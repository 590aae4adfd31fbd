"""A document as PDF: laid out first, so that every page knows how many there are, then drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from threading import Lock

from django.conf import settings
from reportlab.pdfgen.canvas import Canvas

from wallets.documents import paper
from wallets.documents.document import Document, Section
from wallets.documents.fonts import printable
from wallets.documents.layout import Layout, Line
from wallets.documents.paper import Paper

# Fonts are shared by all threads, and reading letters out of them for a file isn't safe in two at once.
_saving = Lock()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a table that stands together on a page."""

    layout: Layout
    lines: list[Line]
    title: str


def write(document: Document) -> BytesIO:
    """The PDF, at its start."""
    file = BytesIO()
    sheet = Paper.wide() if any(Layout.needs_width(section) for section in document.sections) else Paper.upright()
    canvas = Canvas(file, pagesize=(sheet.width, sheet.height))
    canvas.setTitle(printable(" ".join((document.title, document.period)).strip()))
    canvas.setAuthor(printable(document.author or settings.SITE_NAME))
    pages = list(_pages(document, sheet))
    for number, pieces in enumerate(pages, 1):
        top = paper.first_head(canvas, sheet, document) if number == 1 else paper.next_head(canvas, sheet, document)
        for piece in pieces:
            top = _draw(canvas, piece, top)
        paper.foot(canvas, sheet, printable(document.foot), f"Page {number} of {len(pages)}")
        canvas.showPage()
    with _saving:
        canvas.save()
    file.seek(0)
    return file


def _pages(document: Document, sheet: Paper) -> Iterator[list[Piece]]:
    """What goes on each page: whole lines only, and no heading without a line below it."""
    pieces: list[Piece] = []
    room = paper.first_top(sheet, document) - paper.BOTTOM
    for section in document.sections:
        layout = Layout(section, sheet)
        piece = Piece(layout, [], section.title)
        for line in _lines(layout, section):
            head = 0.0 if piece.lines else layout.head_height(piece.title)
            if head + line.height > room and (pieces or piece.lines):
                yield [*pieces, piece] if piece.lines else pieces
                pieces, piece = [], Piece(layout, [], section.title)
                room, head = paper.next_top(sheet) - paper.BOTTOM, layout.head_height(section.title)
            piece.lines.append(line)
            room -= head + line.height
        pieces.append(piece)
        room -= layout.GAP
    yield pieces


def _lines(layout: Layout, section: Section) -> Iterator[Line]:
    """Its rows as lines; one that says so where there is none."""
    found = False
    for row in section.lines():
        found = True
        yield layout.line(row)
    if not found:
        yield layout.remark(section.empty)


def _draw(canvas: Canvas, piece: Piece, top: float) -> float:
    """Draw it from `top` down; returns where the next may begin."""
    top = piece.layout.draw_head(canvas, piece.title, top)
    for line in piece.lines:
        piece.layout.draw(canvas, line, top)
        top -= line.height
    return top - piece.layout.GAP
