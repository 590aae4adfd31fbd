"""Different values of a property, each counted once in a month."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from ledger import sql
from wallets.usage.events import Event, digest
from wallets.usage.judging import Place
from wallets.usage.totals import Group

# A value that is known keeps the earliest moment at which it occurred.
ADD = """
INSERT INTO wallets_usagevalue AS known (wallet_id, month, meter_id, value, first_at)
SELECT * FROM unnest(%s::uuid[], %s::date[], %s::uuid[], %s::uuid[], %s::timestamptz[])
ON CONFLICT (wallet_id, meter_id, month, value) DO UPDATE SET first_at = EXCLUDED.first_at
WHERE EXCLUDED.first_at < known.first_at
RETURNING wallet_id, month, meter_id, xmax = 0
"""


def add(found: Iterable[tuple[Group, bytes, datetime]]) -> Counter[Group]:
    """Note values of groups and when they occurred; returns how many of each group's weren't known. Their accounts
    are locked.
    """
    earliest: dict[tuple[Group, bytes], datetime] = {}
    for group, value, occurred_at in found:
        known = earliest.setdefault((group, value), occurred_at)
        earliest[group, value] = min(known, occurred_at)
    if not earliest:
        return Counter()
    groups = [group for group, _ in earliest]
    rows = sql.rows(
        ADD,
        (
            sql.uuids(group.wallet for group in groups), sql.days(group.month for group in groups),
            sql.uuids(group.meter for group in groups), sql.hashes(value for _, value in earliest),
            sql.moments(earliest.values()),
        ),
    )  # fmt: skip
    return Counter(Group(wallet, month, meter) for wallet, month, meter, fresh in rows if fresh)


def value_of(event: Event, place: Place) -> bytes:
    """A hash of the value that an event brings."""
    return hashed(event.properties[place.meter.property])


def hashed(value: Any) -> bytes:
    """A hash of a value: text and numbers that look alike differ."""
    return digest(msgspec.json.encode(value).decode())
