"""Small charts, drawn in the page itself: no script, colours that follow light and dark, and amounts on hovering."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.money import format_money, short_money

WIDTH, HEIGHT = 600.0, 160.0
LEVELS = 3


@dataclass(frozen=True, slots=True)
class Curve:
    """Amounts in minor units by moment or by day, oldest first; each stands until the next."""

    title: str
    points: Sequence[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Bar:
    """What came in and what went out in one span of time, in minor units."""

    label: str
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Stack:
    """What a span of time is made of, in minor units, from the axis up; and between what its whole may lie."""

    label: str
    parts: Sequence[int]
    band: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A line across the chart: how far below its upper edge, in per cent, and what it stands for."""

    top: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws: shapes in a frame of WIDTH × HEIGHT, what they are, and what the edges stand for."""

    title: str
    legend: Sequence[str]
    shapes: Sequence[SafeString]
    levels: Sequence[Level]
    ends: Sequence[str]
    width: float = WIDTH
    height: float = HEIGHT


class Scale:
    """Where an amount stands: round levels from below the lowest to above the highest, 0 among them."""

    def __init__(self, amounts: Iterable[int]) -> None:
        found = [0, *amounts]
        self.step = _round_up(max(max(found) - min(found), 1) / LEVELS)
        self.low = min(found) // self.step * self.step
        self.high = max(-(-max(found) // self.step) * self.step, self.low + self.step)

    def place(self, amount: float) -> float:
        """The height of an amount below the upper edge."""
        return HEIGHT * (self.high - amount) / (self.high - self.low)

    def levels(self, currency: str) -> list[Level]:
        """The lines across, from the highest down."""
        amounts = range(self.high, self.low - 1, -self.step)
        return [Level(100 * self.place(amount) / HEIGHT, short_money(amount, currency)) for amount in amounts]


def curves(title: str, found: Sequence[Curve], currency: str) -> Chart | None:
    """Curves in one frame, or None where there is nothing to draw."""
    points = [point for curve in found for point in curve.points]
    if not points:
        return None
    first, last = min(points)[0], max(points)[0]
    scale = Scale(amount for _, amount in points)
    shapes = [_steps(curve, number, first, last, scale) for number, curve in enumerate(found, 1)]
    return Chart(
        title, [curve.title for curve in found], shapes, scale.levels(currency), [localize(first), localize(last)]
    )


def bars(title: str, found: Sequence[Bar], currency: str, *, up: str, down: str) -> Chart | None:
    """What came in above the line and what went out below it, or None where nothing did either."""
    if not any(bar.up or bar.down for bar in found):
        return None
    scale = Scale(amount for bar in found for amount in (bar.up, -bar.down))
    shapes = [
        _bar(number, len(found), amount, series, scale, f"{bar.label}: {name} {format_money(abs(amount), currency)}")
        for number, bar in enumerate(found)
        for series, name, amount in ((1, up.lower(), bar.up), (2, down.lower(), -bar.down))
        if amount
    ]
    return Chart(title, [up, down], shapes, scale.levels(currency), [found[0].label, found[-1].label])


def stacks(title: str, found: Sequence[Stack], currency: str, legend: Sequence[str]) -> Chart | None:
    """Bars of several parts, or None where there is nothing to draw. A part that isn't above 0 isn't drawn."""
    if not any(part for stack in found for part in stack.parts):
        return None
    heights = [sum(max(part, 0) for part in stack.parts) for stack in found]
    scale = Scale([*heights, *(edge for stack in found for edge in stack.band or ())])
    shapes = [
        shape
        for number, stack in enumerate(found)
        for shape in _stack(number, len(found), stack, scale, currency, legend)
    ]
    return Chart(title, legend, shapes, scale.levels(currency), [found[0].label, found[-1].label])


def _stack(
    number: int, count: int, stack: Stack, scale: Scale, currency: str, legend: Sequence[str]
) -> Iterator[SafeString]:
    reached = 0
    for series, (name, part) in enumerate(zip(legend, stack.parts, strict=True), 1):
        if part > 0:
            tip = f"{stack.label}: {name.lower()} {format_money(part, currency)}"
            yield _box(number, count, reached, reached + part, series, scale, tip)
            reached += part
    if stack.band:
        tip = f"{stack.label}: between {' and '.join(format_money(edge, currency) for edge in stack.band)}"
        yield _whisker(number, count, stack.band, scale, tip)


def _steps(curve: Curve, number: int, first: date, last: date, scale: Scale) -> SafeString:
    """A line that stays at each amount until the next, and goes on to the right edge."""
    seconds = (last - first).total_seconds()
    places = [
        ((moment - first).total_seconds() / seconds * WIDTH if seconds else 0.0, scale.place(amount))
        for moment, amount in curve.points
    ]
    corners = places[:1]
    for (_, before), (across, height) in pairwise(places):
        corners += [(across, before), (across, height)]
    corners += [(WIDTH, places[-1][1])] if places else []
    path = " ".join(f"{across:.1f},{height:.1f}" for across, height in corners)
    return format_html(
        '<polyline class="office-series-{}" points="{}" vector-effect="non-scaling-stroke"><title>{}</title>'
        "</polyline>",
        number, path, curve.title,
    )  # fmt: skip


def _bar(number: int, count: int, amount: int, series: int, scale: Scale, tip: str) -> SafeString:
    return _box(number, count, 0, amount, series, scale, tip)


def _box(number: int, count: int, start: int, end: int, series: int, scale: Scale, tip: str) -> SafeString:
    width, one, other = WIDTH / count, scale.place(start), scale.place(end)
    return format_html(
        '<rect class="office-bar office-series-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        series, f"{number * width + width * 0.15:.1f}", f"{min(one, other):.1f}", f"{width * 0.7:.1f}",
        f"{max(abs(one - other), 1):.1f}", tip,
    )  # fmt: skip


def _whisker(number: int, count: int, band: tuple[int, int], scale: Scale, tip: str) -> SafeString:
    """A line from the one edge to the other."""
    across, (low, high) = WIDTH / count * (number + 0.5), map(scale.place, band)
    return format_html(
        '<line class="office-band" x1="{0}" x2="{0}" y1="{1}" y2="{2}" vector-effect="non-scaling-stroke"><title>{3}'
        "</title></line>",
        f"{across:.1f}", f"{low:.1f}", f"{high:.1f}", tip,
    )  # fmt: skip


def _round_up(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … that isn't less."""
    power = 1
    while power * 10 <= least:
        power *= 10
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
