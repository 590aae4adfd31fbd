"""Counting months again from raw events: in SQL, of one state of the database, held against what stands there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from ledger import sql
from wallets.usage.amounts import ZERO, exact
from wallets.usage.catalogue import read_price
from wallets.usage.months import after, start
from wallets.usage.pricing import Price, positions
from wallets.usage.totals import Group

# Each event finds its price as it did when it was taken: nothing of a price has changed since.
PRICED = """
FROM wallets_usageevent e
JOIN wallets_meter m ON m.id = e.meter_id
JOIN wallets_wallet w ON w.id = e.wallet_id
JOIN LATERAL (
    SELECT p.id FROM wallets_meterprice p
    WHERE p.meter_id = e.meter_id AND p.currency = w.currency
        AND (p.wallet_id = e.wallet_id OR p.wallet_id IS NULL)
        AND p.starts_at <= e.occurred_at AND (p.ends_at IS NULL OR e.occurred_at < p.ends_at)
    ORDER BY p.wallet_id NULLS LAST LIMIT 1
) AS p ON true
"""
COUNT = f"""
SELECT e.wallet_id, date_trunc('month', e.occurred_at AT TIME ZONE 'UTC')::date AS month, e.meter_id, p.id,
       CASE m.aggregation
           WHEN 'sum' THEN sum(e.quantity)
           WHEN 'count' THEN count(*)
           WHEN 'max' THEN greatest(0, max(e.quantity))
           WHEN 'unique' THEN count(DISTINCT e.properties -> m.property) FILTER (WHERE m.aggregation = 'unique')
           ELSE (array_agg(e.quantity ORDER BY e.occurred_at DESC, e.quantity DESC)
                 FILTER (WHERE m.aggregation = 'latest'))[1]
       END AS quantity,
       count(*) AS events
{PRICED}
WHERE e.wallet_id = ANY (%(wallets)s::uuid[]) AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
GROUP BY 1, 2, 3, 4, m.aggregation
"""
COMPARE = f"""
WITH counted AS ({COUNT}), stands AS (
    SELECT wallet_id, month, meter_id, price_id, quantity, events, amount FROM wallets_usagemonth
    WHERE wallet_id = ANY (%(wallets)s::uuid[]) AND month >= %(first)s AND month < %(end)s
)
SELECT coalesce(s.wallet_id, c.wallet_id), coalesce(s.month, c.month), coalesce(s.meter_id, c.meter_id),
       coalesce(s.quantity, 0), coalesce(s.amount, 0), coalesce(c.quantity, 0), coalesce(c.events, 0),
       p.id, p.starts_at, p.ends_at, p.allowance, p.package_size, p.tiers::text
FROM stands s FULL JOIN counted c
    ON c.wallet_id = s.wallet_id AND c.month = s.month AND c.meter_id = s.meter_id AND c.id = s.price_id
JOIN wallets_meterprice p ON p.id = coalesce(s.price_id, c.id)
"""


class Months(NamedTuple):
    """From the first month to the last, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Part:
    """A group's part under a price: what stands there, and what raw events come to."""

    group: Group
    price: Price
    quantity: Decimal
    amount: Decimal
    counted_quantity: Decimal
    counted_amount: Decimal
    events: int

    @property
    def differs(self) -> bool:
        """Whether the two aren't the same to the last digit."""
        return (self.quantity, self.amount) != (self.counted_quantity, self.counted_amount)


@exact
def recount(wallets: Collection[UUID], months: Months) -> list[Part]:
    """All parts of some wallets' months, as they stand and as they are counted, of one state of the database."""
    asked = {
        "wallets": sql.uuids(wallets), "since": start(months.first), "until": start(after(months.last)),
        "first": months.first, "end": after(months.last),
    }  # fmt: skip
    groups: dict[Group, list[tuple[Price, Any]]] = {}
    with sql.snapshot():
        for wallet, month, meter, quantity, amount, counted, events, *price in sql.rows(COMPARE, asked):
            row = (quantity, amount, Decimal(counted), events)
            groups.setdefault(Group(wallet, month, meter), []).append((read_price(*price), row))
    return [part for group, found in groups.items() for part in _parts(group, dict(found))]


def _parts(group: Group, found: Mapping[Price, tuple[Decimal, Decimal, Decimal, int]]) -> list[Part]:
    priced = {each.price: each.amount() for each in positions({price: row[2] for price, row in found.items()})}
    return [
        Part(group, price, quantity, amount, counted, priced.get(price, ZERO), events)
        for price, (quantity, amount, counted, events) in found.items()
    ]
