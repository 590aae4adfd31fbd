"""What came together in each minute, for series and for the rate: kept beside the totals, and made anew from events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ledger import sql
from wallets.models import Meter
from wallets.usage.folding import Folded

Aggregation = Meter.Aggregation


class Minute(NamedTuple):
    """A minute of a wallet's meter under a price."""

    wallet: UUID
    at: datetime
    meter: UUID
    price: UUID


ADD = """
INSERT INTO wallets_usagerollup AS known (wallet_id, at, meter_id, price_id, grain, quantity, events, latest_at)
SELECT wallet, at, meter, price, 60, quantity, events, latest_at
FROM unnest(%s::uuid[], %s::timestamptz[], %s::uuid[], %s::uuid[], %s::numeric[], %s::int8[], %s::timestamptz[])
    AS m (wallet, at, meter, price, quantity, events, latest_at)
ON CONFLICT (wallet_id, at, meter_id, price_id, grain) DO UPDATE
SET quantity = {quantity}, events = known.events + EXCLUDED.events,
    latest_at = greatest(known.latest_at, EXCLUDED.latest_at)
"""
LATEST = """
CASE WHEN (EXCLUDED.latest_at, EXCLUDED.quantity) > (known.latest_at, known.quantity) THEN EXCLUDED.quantity
     ELSE known.quantity END
"""
QUANTITIES: Mapping[str, str] = {
    Aggregation.SUM: "known.quantity + EXCLUDED.quantity",
    Aggregation.COUNT: "known.quantity + EXCLUDED.quantity",
    Aggregation.MAX: "greatest(known.quantity, EXCLUDED.quantity)",
    Aggregation.LATEST: LATEST,
    # They are told from the values themselves.
    Aggregation.UNIQUE: "0",
}


def add(aggregation: str, minutes: Sequence[tuple[Minute, Folded]]) -> None:
    """Add what meters of an aggregation counted in some minutes, each of which is there once, inside the caller's
    transaction, which has the accounts of the wallets locked.
    """
    sql.run(
        ADD.format(quantity=QUANTITIES[aggregation]),
        (
            sql.uuids(minute.wallet for minute, _ in minutes), sql.moments(minute.at for minute, _ in minutes),
            sql.uuids(minute.meter for minute, _ in minutes), sql.uuids(minute.price for minute, _ in minutes),
            sql.decimals(folded.quantity for _, folded in minutes),
            sql.integers(folded.events for _, folded in minutes),
            sql.moments(folded.latest_at for _, folded in minutes),
        ),
    )  # fmt: skip
