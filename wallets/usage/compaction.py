"""Minutes that are long ago become hours, and hours days: the same sums in fewer rows."""

from datetime import datetime, timedelta

from django.conf import settings

from ledger import sql
from ledger.durable import durable
from wallets.models import UsageRollup
from wallets.usage.rollups import QUANTITIES

Grain = UsageRollup.Grain
BATCH = 20_000
# Whoever counts an event into a row that is merged just now waits, and begins it anew.
MERGE = """
WITH old AS (
    SELECT r.wallet_id, r.at, r.meter_id, r.price_id, r.grain
    FROM wallets_usagerollup r JOIN wallets_meter m ON m.id = r.meter_id
    WHERE r.grain = %(fine)s AND r.at < %(before)s AND m.aggregation = %(aggregation)s LIMIT %(limit)s
), gone AS (
    DELETE FROM wallets_usagerollup r USING old
    WHERE (r.wallet_id, r.at, r.meter_id, r.price_id, r.grain)
        = (old.wallet_id, old.at, old.meter_id, old.price_id, old.grain)
    RETURNING r.*
), merged AS (
    INSERT INTO wallets_usagerollup AS known (wallet_id, at, meter_id, price_id, grain, quantity, events, latest_at)
    SELECT wallet_id, date_bin(%(step)s, at, '2000-01-01 00:00Z'), meter_id, price_id, %(coarse)s,
           CASE %(aggregation)s WHEN 'max' THEN max(quantity)
                WHEN 'latest' THEN (array_agg(quantity ORDER BY latest_at DESC, quantity DESC))[1]
                ELSE sum(quantity) END,
           sum(events), max(latest_at)
    FROM gone GROUP BY 1, 2, 3, 4
    ON CONFLICT (wallet_id, at, meter_id, price_id, grain) DO UPDATE
    SET quantity = {quantity}, events = known.events + EXCLUDED.events,
        latest_at = greatest(known.latest_at, EXCLUDED.latest_at)
)
SELECT count(*) FROM gone
"""


def compact(*, now: datetime) -> int:
    """Merge what is older than `USAGE_MINUTE_DAYS` and `USAGE_HOUR_DAYS`; returns how many rows went."""
    steps = (
        (Grain.MINUTE, Grain.HOUR, now - timedelta(days=settings.USAGE_MINUTE_DAYS)),
        (Grain.HOUR, Grain.DAY, now - timedelta(days=settings.USAGE_HOUR_DAYS)),
    )
    merged = 0
    for fine, coarse, before in steps:
        for aggregation in QUANTITIES:
            while count := _merge(fine, coarse, before, aggregation):
                merged += count
    return merged


@durable
def _merge(fine: Grain, coarse: Grain, before: datetime, aggregation: str) -> int:
    asked = {
        "fine": int(fine), "coarse": int(coarse), "step": timedelta(seconds=coarse), "before": before,
        "aggregation": aggregation, "limit": BATCH,
    }  # fmt: skip
    # One at a time: two that merge the same rows would wait for each other.
    sql.run("SELECT pg_advisory_xact_lock(2, 3)")
    count: int = sql.rows(MERGE.format(quantity=QUANTITIES[aggregation]), asked)[0][0]
    return count
