"""Following the events: each of them once and none left out, whoever is writing meanwhile.

Numbers are given out before transactions commit, so that a smaller one may come to be seen after a larger one. What
lies below the oldest transaction that still runs is complete: so far a follower reads, and from there it goes on.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from ledger import sql


class Followed(NamedTuple):
    """An event as it was written down."""

    written_by: int
    received_at: datetime
    occurred_at: datetime
    key: UUID
    wallet: UUID
    meter: UUID
    quantity: Decimal
    source: str
    event_id: str
    properties: Any


HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::int8"
READ = """
SELECT written_by, received_at, occurred_at, key, wallet_id, meter_id, quantity, source, event_id, properties
FROM wallets_usageevent WHERE written_by >= %s AND written_by < %s ORDER BY written_by, key
"""


def horizon() -> int:
    """Up to where events are complete: a follower keeps it with what it has read, and goes on from there."""
    number: int = sql.rows(HORIZON)[0][0]
    return number


def follow(mark: int, until: int) -> Iterator[Followed]:
    """The events from one horizon to a later one, in the order of their transactions; from 0 on, all that are kept."""
    return (Followed(*row) for row in sql.run(READ, (mark, until)))
