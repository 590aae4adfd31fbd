"""A small chart, drawn in the page itself: no script, and colours that follow light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backoffice import cells

WIDTH, HEIGHT = 600, 140


@dataclass(frozen=True, slots=True)
class Curve:
    """Amounts in minor units by moment, oldest first; each stands until the next."""

    title: str
    points: Sequence[tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class Line:
    """A curve as SVG draws it."""

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines in a frame, and what its edges stand for."""

    lines: Sequence[Line]
    top: str
    bottom: str
    first: datetime
    last: datetime
    width: int = WIDTH
    height: int = HEIGHT


def draw(curves: Sequence[Curve], currency: str) -> Drawing | None:
    """Curves in one frame, or None where there is nothing to draw."""
    points = [point for curve in curves for point in curve.points]
    if not points:
        return None
    first, last = min(points)[0], max(points)[0]
    amounts = [amount for _, amount in points]
    low, high = min(amounts), max(amounts)
    seconds = (last - first).total_seconds()

    def place(moment: datetime, amount: int) -> tuple[float, float]:
        across = (moment - first).total_seconds() / seconds if seconds else 0.0
        up = (amount - low) / (high - low) if high > low else 0.5
        return across * WIDTH, HEIGHT * (1 - up)

    lines = [Line(curve.title, _path([place(*point) for point in curve.points])) for curve in curves]
    return Drawing(lines, cells.money(high, currency), cells.money(low, currency), first, last)


def _path(places: Sequence[tuple[float, float]]) -> str:
    """Steps from place to place, the last one drawn to the right edge."""
    corners, height = [], places[0][1]
    for across, up in places:
        corners += [(across, height), (across, up)]
        height = up
    corners.append((float(WIDTH), height))
    return " ".join(f"{across:.1f},{up:.1f}" for across, up in corners)
