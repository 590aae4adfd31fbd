"""A wallet's usage as it is drawn: hour by hour what is settled, what isn't yet, and what is projected with its band;
day by day what of each meter.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils.formats import localize

from backoffice.charts import Chart, Stack, stacks
from wallets.usage import series
from wallets.usage.amounts import ZERO
from wallets.usage.projection import Estimate
from wallets.usage.series import Point

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS, DAYS = 48, 31
# So many meters have a colour of their own; the rest share one.
COLOURS = 3


def by_hour(wallet_id: UUID, estimate: Estimate, now: datetime) -> Chart | None:
    """The last two days: settlements pay for the oldest usage first, so that what is unsettled is the newest."""
    standing = estimate.balance.standing
    hours = _steps(now, HOUR, HOURS)
    spent = _summed(series.points(wallet_id, HOUR, meter=None, since=hours[0], until=now))
    left, found = max(ZERO, estimate.balance.unsettled), []
    for hour in reversed(hours):
        amount = spent.get(hour, ZERO)
        unsettled = min(max(amount, ZERO), left)
        left -= unsettled
        last = hour == hours[-1]
        parts = (amount - unsettled, unsettled, estimate.projected if last else ZERO)
        found.append(Stack(localize(hour), [round(part) for part in parts], _band(estimate, amount) if last else None))
    legend = ("Settled", "Not settled yet", "Projected since the last event")
    return stacks("What it used, hour by hour", found[::-1], standing.currency, legend)


def by_day(wallet_id: UUID, currency: str, now: datetime) -> Chart | None:
    """The last month, by the meters that cost most."""
    days = _steps(now, DAY, DAYS)
    points = series.points(wallet_id, DAY, meter=None, since=days[0], until=now)
    meters = _dearest(points)
    legend = meters if len(meters) <= COLOURS else [*meters[:COLOURS], "Others"]
    found = [Stack(localize(day.date()), _parts(points, day, meters)) for day in days]
    return stacks("What it used, day by day", found, currency, legend)


def _steps(now: datetime, step: timedelta, count: int) -> list[datetime]:
    """The beginnings of so many steps, up to the one that now lies in."""
    now = now.astimezone(UTC)
    last = now - (now - datetime(2000, 1, 1, tzinfo=UTC)) % step
    return [last - number * step for number in range(count)][::-1]


def _band(estimate: Estimate, amount: Decimal) -> tuple[int, int] | None:
    """Between what the hour comes to, by the bounds of what was spent since the watermark."""
    low, high = (estimate.balance.current - bound for bound in (estimate.upper, estimate.lower))
    return (round(amount + low), round(amount + high)) if high > 0 else None


def _summed(points: Sequence[Point]) -> dict[datetime, Decimal]:
    spent: dict[datetime, Decimal] = {}
    for point in points:
        spent[point.at] = spent.get(point.at, ZERO) + point.amount
    return spent


def _dearest(points: Sequence[Point]) -> list[str]:
    """Meters by what was spent on them, the dearest first."""
    spent: dict[str, Decimal] = {}
    for point in points:
        spent[point.meter] = spent.get(point.meter, ZERO) + point.amount
    return sorted(spent, key=lambda meter: (-spent[meter], meter))


def _parts(points: Sequence[Point], day: datetime, meters: Sequence[str]) -> list[int]:
    spent = {point.meter: point.amount for point in points if point.at == day}
    parts = [spent.get(meter, ZERO) for meter in meters]
    rest = [sum(parts[COLOURS:], ZERO)] if len(meters) > COLOURS else []
    return [round(part) for part in (*parts[:COLOURS], *rest)]
