"""Minutes and different values, made anew from raw events: what a wallet owes doesn't come from them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ledger import sql
from ledger.durable import durable
from wallets.usage import values
from wallets.usage.months import after, start
from wallets.usage.recounting import PRICED, Months
from wallets.usage.totals import Group

FORGET = (
    "DELETE FROM wallets_usagerollup WHERE wallet_id = %(wallet)s AND at >= %(since)s AND at < %(until)s",
    "DELETE FROM wallets_usagevalue WHERE wallet_id = %(wallet)s AND month >= %(first)s AND month < %(end)s",
)
COUNT = f"""
INSERT INTO wallets_usagerollup (wallet_id, at, meter_id, price_id, grain, quantity, events, latest_at)
SELECT e.wallet_id, date_bin('1 minute', e.occurred_at, '2000-01-01 00:00Z'), e.meter_id, p.id, 60,
       CASE m.aggregation
           WHEN 'sum' THEN sum(e.quantity) WHEN 'count' THEN count(*) WHEN 'max' THEN greatest(0, max(e.quantity))
           WHEN 'unique' THEN 0
           ELSE (array_agg(e.quantity ORDER BY e.occurred_at DESC, e.quantity DESC)
                 FILTER (WHERE m.aggregation = 'latest'))[1]
       END,
       count(*), max(e.occurred_at)
{PRICED}
WHERE e.wallet_id = %(wallet)s AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
GROUP BY 1, 2, 3, 4, m.aggregation
"""
VALUES = """
SELECT date_trunc('month', e.occurred_at AT TIME ZONE 'UTC')::date, e.meter_id, e.properties -> m.property,
       min(e.occurred_at)
FROM wallets_usageevent e JOIN wallets_meter m ON m.id = e.meter_id AND m.aggregation = 'unique'
WHERE e.wallet_id = %(wallet)s AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
GROUP BY 1, 2, 3
"""
# Forecasts that were made of the minutes that were there hold no more.
REVISED = "UPDATE wallets_usageaccount SET version = version + 1, revised = version + 1 WHERE wallet_id = %(wallet)s"


@durable
def rebuild(wallet_id: UUID, months: Months) -> None:
    """Make a wallet's minutes of some months anew, whose events are all kept. Events wait meanwhile."""
    asked: dict[str, Any] = {
        "wallet": wallet_id, "first": months.first, "end": after(months.last), "since": start(months.first),
        "until": start(after(months.last)),
    }  # fmt: skip
    sql.run(REVISED, {"wallet": wallet_id})
    for statement in FORGET:
        sql.run(statement, asked)
    sql.run(COUNT, asked)
    values.add(_values(wallet_id, asked))


def _values(wallet: UUID, asked: dict[str, Any]) -> list[tuple[Group, bytes, datetime]]:
    return [
        (Group(wallet, month, meter), values.hashed(value), first_at)
        for month, meter, value, first_at in sql.rows(VALUES, asked)
    ]
