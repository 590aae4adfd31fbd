"""What a wallet used in each minute, hour or day, and what that cost: the amounts of a month add up to the month's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal, NamedTuple
from uuid import UUID

from ledger import sql
from users.callers import Caller
from users.permissions import require_scope
from users.validation import ValidationError
from wallets.access import Need, enter
from wallets.models import Meter
from wallets.usage import meters
from wallets.usage.amounts import ZERO, exact
from wallets.usage.catalogue import read_price
from wallets.usage.folding import Folded
from wallets.usage.months import month_of, start
from wallets.usage.pricing import Price, positions

Granularity = Literal["minute", "hour", "day"]
STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
# How many steps a series has where nobody says from when, and how many at most.
USUAL = {"minute": 60, "hour": 168, "day": 31}
MOST = 10_080


class Point(NamedTuple):
    """What a meter counted in the step that began at `at`, from how many events, and what that cost: minor units."""

    at: datetime
    meter: str
    quantity: Decimal
    amount: Decimal
    events: int


@dataclass(frozen=True, slots=True)
class Series:
    """Points, oldest first; a step without usage has none."""

    currency: str
    since: datetime
    until: datetime
    points: list[Point]


def series(
    caller: Caller, wallet_id: UUID, granularity: Granularity, *, meter: str | None, since: datetime | None,
    until: datetime,
) -> Series:  # fmt: skip
    """A wallet's usage between two moments. Minutes that have become hours stand where the hour began.

    Raises NotFound, PermissionDenied, and ValidationError where it would be more than a week of minutes.
    """
    require_scope(caller, "wallets:read")
    wallet = enter(caller, wallet_id, Need.VIEW)
    if meter is not None:
        meters.find(meter)
    step = STEPS[granularity]
    since = until - USUAL[granularity] * step if since is None else since
    if since > until:
        raise ValidationError.on("from", "out_of_range", "It begins before it ends.")
    if until - since > MOST * step:
        raise ValidationError.on("from", "out_of_range", f"A series has {MOST} {granularity}s at most.")
    since = _begin(since, step)
    return Series(wallet.currency, since, until, points(wallet_id, step, meter=meter, since=since, until=until))


def _begin(moment: datetime, step: timedelta) -> datetime:
    """The beginning of the step in which a moment lies."""
    moment = moment.astimezone(UTC)
    return moment - (moment - datetime(2000, 1, 1, tzinfo=UTC)) % step


# What came before, in the first month, is one step: tiers and allowances go on from there.
READ = """
WITH used AS (
    SELECT r.*, m.slug, m.aggregation, date_trunc('month', r.at AT TIME ZONE 'UTC')::date AS month,
           CASE WHEN r.at >= %(since)s THEN date_bin(%(step)s, r.at, '2000-01-01 00:00Z') END AS step
    FROM wallets_usagerollup r JOIN wallets_meter m ON m.id = r.meter_id
    WHERE r.wallet_id = %(wallet)s AND r.at >= %(month)s AND r.at <= %(until)s
        AND (%(meter)s::text IS NULL OR m.slug = %(meter)s)
), summed AS (
    SELECT slug, aggregation, month, step, price_id, sum(events)::int8 AS events, max(latest_at) AS latest_at,
           CASE aggregation WHEN 'max' THEN max(quantity)
                WHEN 'latest' THEN (array_agg(quantity ORDER BY latest_at DESC, quantity DESC)
                                    FILTER (WHERE aggregation = 'latest'))[1]
                ELSE sum(quantity) END AS quantity
    FROM used GROUP BY slug, aggregation, month, step, price_id
)
SELECT s.slug, s.aggregation, s.month, s.step, s.quantity, s.events, s.latest_at,
       p.id, p.starts_at, p.ends_at, p.allowance, p.package_size, p.tiers::text
FROM summed s JOIN wallets_meterprice p ON p.id = s.price_id
ORDER BY s.slug, s.month, s.step NULLS FIRST, p.starts_at
"""
VALUES = """
SELECT m.slug, v.month, CASE WHEN v.first_at >= %(since)s THEN date_bin(%(step)s, v.first_at, '2000-01-01 00:00Z') END,
       count(*)
FROM wallets_usagevalue v JOIN wallets_meter m ON m.id = v.meter_id
WHERE v.wallet_id = %(wallet)s AND v.first_at >= %(month)s AND v.first_at <= %(until)s
    AND (%(meter)s::text IS NULL OR m.slug = %(meter)s)
GROUP BY 1, 2, 3
"""


class _Part(NamedTuple):
    """What a meter counted in a step of a month under one price; without a step, before the first."""

    slug: str
    aggregation: str
    month: Any
    step: datetime | None
    folded: Folded
    price: Price


@exact
def points(
    wallet_id: UUID, step: timedelta, *, meter: str | None, since: datetime, until: datetime
) -> list[Point]:  # fmt: skip
    """The points themselves, for whoever may see them."""
    month = start(month_of(since))
    asked = {"wallet": wallet_id, "step": step, "since": since, "until": until, "month": month, "meter": meter}
    parts = [_part(*row) for row in sql.rows(READ, asked)]
    if any(part.aggregation == Meter.Aggregation.UNIQUE for part in parts):
        _count_values(parts, {row[:3]: row[3] for row in sql.rows(VALUES, asked)})
    found = [
        point
        for _, month_parts in groupby(parts, lambda part: (part.slug, part.month))
        for point in _month(month_parts)
    ]
    return sorted(found)


def _part(
    slug: str, aggregation: str, month: Any, step: datetime | None, quantity: Decimal, events: int,
    latest_at: datetime, *price: Any,
) -> _Part:  # fmt: skip
    folded = Folded(quantity=quantity, events=events, latest_at=latest_at)
    return _Part(slug, aggregation, month, step and step.astimezone(UTC), folded, read_price(*price))


def _count_values(parts: Iterable[_Part], counts: Mapping[tuple[Any, ...], int]) -> None:
    """Different values are told from the values: how many came first in a step."""
    for part in parts:
        if part.aggregation == Meter.Aggregation.UNIQUE:
            part.folded.quantity = Decimal(counts.get((part.slug, part.month, part.step), 0))


@dataclass(slots=True)
class _Running:
    """A meter's month as far as it has been told: what it comes to under each price, and what that costs."""

    quantities: dict[Price, Folded] = field(default_factory=dict)
    cost: Decimal = ZERO

    def add(self, part: _Part) -> Decimal:
        """Go on by a step; returns what that costs more, which is less than nothing where a figure sinks."""
        self.quantities.setdefault(part.price, Folded()).join(part.aggregation, part.folded)
        month = {price: folded.quantity for price, folded in self.quantities.items()}
        before, self.cost = self.cost, sum((position.amount() for position in positions(month)), ZERO)
        return self.cost - before


def _month(parts: Iterable[_Part]) -> Iterator[Point]:
    running = _Running()
    for step, same in groupby(parts, lambda part: part.step):
        merged, amount, slug = Folded(), ZERO, ""
        for part in same:
            amount, slug = amount + running.add(part), part.slug
            merged.join(part.aggregation, part.folded)
        if step is not None:
            yield Point(step, slug, merged.quantity, amount, merged.events)
