"""What stands on every page of a PDF: the logo and name, the head with its figures, and the foot."""

from dataclasses import dataclass

from django.conf import settings
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from wallets.documents.document import Document, major
from wallets.documents.fonts import BOLD, REGULAR, fitting, printable

MARGIN = 42
BOTTOM = 66
SIZE, SMALL = 8.5, 7
INK, GREY, RULE, BAND = HexColor("#1F2933"), HexColor("#66717F"), HexColor("#D5DAE1"), HexColor("#F3F5F8")
BRAND = HexColor("#9333EA")
# The head of the first page, from its upper edge down.
TITLE, LINES, LINE, FIGURES = 86, 108, 13, 56


@dataclass(frozen=True, slots=True)
class Paper:
    """A4, upright or on its side, in points."""

    width: float
    height: float

    @classmethod
    def upright(cls) -> "Paper":
        return cls(*A4)

    @classmethod
    def wide(cls) -> "Paper":
        return cls(A4[1], A4[0])

    @property
    def left(self) -> float:
        return MARGIN

    @property
    def right(self) -> float:
        return self.width - MARGIN


def first_top(sheet: Paper, document: Document) -> float:
    """Where the first page's tables begin."""
    figures = FIGURES if document.figures else 0
    return sheet.height - LINES - LINE * max(len(document.lines), 1) - figures


def next_top(sheet: Paper) -> float:
    """Where the tables of all other pages begin."""
    return sheet.height - 56


def first_head(canvas: Canvas, sheet: Paper, document: Document) -> float:
    """Draw the head of the first page; returns where tables begin."""
    _brand(canvas, sheet)
    left(canvas, sheet.left, sheet.height - TITLE, printable(document.title), BOLD, 22)
    if document.period:
        right(canvas, sheet.right, sheet.height - TITLE + 6, document.period, BOLD, 10, sheet.width / 2)
        right(canvas, sheet.right, sheet.height - TITLE - 8, "UTC", REGULAR, SMALL, sheet.width / 2, GREY)
    for number, text in enumerate(document.lines):
        font, size, colour = (BOLD, 10, INK) if number == 0 else (REGULAR, 8.5, GREY)
        text, baseline = printable(text), sheet.height - LINES - LINE * number
        left(canvas, sheet.left, baseline, text, font, fitting(text, font, size, sheet.right - sheet.left), colour)
    top = first_top(sheet, document)
    if document.figures:
        _figures(canvas, sheet, document, top + 10)
    return top


def next_head(canvas: Canvas, sheet: Paper, document: Document) -> float:
    """Draw the head of any other page; returns where tables begin."""
    left(canvas, sheet.left, sheet.height - 42, printable(document.title), BOLD, 10)
    right(canvas, sheet.right, sheet.height - 42, document.period, REGULAR, SIZE, sheet.width / 2, GREY)
    return next_top(sheet)


def foot(canvas: Canvas, sheet: Paper, text: str, number: str) -> None:
    """Draw the foot: what the document is of, and which page it is."""
    rule(canvas, sheet, 46, RULE)
    left(canvas, sheet.left, 34, text, REGULAR, fitting(text, REGULAR, SMALL, sheet.width * 0.7), GREY)
    right(canvas, sheet.right, 34, number, REGULAR, SMALL, sheet.width / 4, GREY)


def _brand(canvas: Canvas, sheet: Paper) -> None:
    """The logo, a picture of the installation's own or a drawn wallet, and the name."""
    baseline, name = sheet.height - 46, printable(settings.SITE_NAME)
    at = sheet.left
    if settings.DOCUMENT_LOGO:
        canvas.drawImage(
            settings.DOCUMENT_LOGO, at, baseline - 5, height=20, width=80, preserveAspectRatio=True, anchor="sw",
            mask="auto",
        )  # fmt: skip
        at += 88
    else:
        canvas.setFillColor(BRAND)
        canvas.roundRect(at, baseline - 4, 20, 16, 3, stroke=0, fill=1)
        canvas.setFillColor(HexColor("#FFFFFF"))
        canvas.circle(at + 14.5, baseline + 4, 2, stroke=0, fill=1)
        at += 27
    left(canvas, at, baseline, name, BOLD, 10)
    rule(canvas, sheet, baseline - 14, RULE)


def _figures(canvas: Canvas, sheet: Paper, document: Document, bottom: float) -> None:
    """The amounts that matter most, side by side."""
    canvas.setFillColor(BAND)
    canvas.roundRect(sheet.left, bottom, sheet.right - sheet.left, 42, 5, stroke=0, fill=1)
    step = (sheet.right - sheet.left) / len(document.figures)
    for index, (label, amount) in enumerate(document.figures):
        at, text = sheet.left + index * step + 12, f"{major(amount, document.sections[0].exponent):,f}"
        left(canvas, at, bottom + 28, label, REGULAR, SMALL, GREY)
        left(canvas, at, bottom + 11, text, BOLD, fitting(text, BOLD, 12, step - 20))


def left(canvas: Canvas, at: float, baseline: float, text: str, font: str, size: float, colour: HexColor = INK) -> None:
    """Text that begins at a point."""
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    canvas.drawString(at, baseline, text)


def right(
    canvas: Canvas, at: float, baseline: float, text: str, font: str, size: float, width: float,
    colour: HexColor = INK,
) -> None:  # fmt: skip
    """Text that ends at a point, smaller where it is wider than `width`."""
    canvas.setFont(font, fitting(text, font, size, width))
    canvas.setFillColor(colour)
    canvas.drawRightString(at, baseline, text)


def rule(canvas: Canvas, sheet: Paper, height: float, colour: HexColor) -> None:
    """A line from margin to margin."""
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(0.5)
    canvas.line(sheet.left, height, sheet.right, height)
