"""The letters of a PDF: Latin, Greek, Cyrillic and Vietnamese, the signs of currencies, and � for any other."""

from importlib.resources import files

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "Roboto", "Roboto-Medium"
for _name, _file in ((REGULAR, "Roboto-Regular.ttf"), (BOLD, "Roboto-Medium.ttf")):
    pdfmetrics.registerFont(TTFont(_name, str(files("font_roboto") / "files" / _file)))

_KNOWN = pdfmetrics.getFont(REGULAR).face.charToGlyph.keys() & pdfmetrics.getFont(BOLD).face.charToGlyph.keys()


def printable(text: str) -> str:
    """The text on one line, with a sign in place of each letter that the fonts don't have."""
    return "".join(letter if ord(letter) in _KNOWN else "�" for letter in " ".join(text.split()))


def wrap(text: str, font: str, size: float, width: float) -> list[str]:
    """The text in lines no wider than `width` points, broken at spaces, and within a word that is too long."""
    if stringWidth(text, font, size) <= width:
        return [text] if text else []
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if stringWidth(joined, font, size) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, font, size, width)
        lines += full
    return [*lines, line]


def fitting(text: str, font: str, size: float, width: float) -> float:
    """The size at which the text is no wider than `width` points: the one asked for, or a smaller one."""
    needed = stringWidth(text, font, size)
    return size if needed <= width else size * width / needed


def _pieces(word: str, font: str, size: float, width: float) -> list[str]:
    pieces, piece = [], ""
    for letter in word:
        if piece and stringWidth(piece + letter, font, size) > width:
            pieces.append(piece)
            piece = ""
        piece += letter
    return [*pieces, piece]
