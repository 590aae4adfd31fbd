"""Each event once: the key of its source and id is claimed by a row, in the transaction that counts it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from ledger import sql
from ledger.durable import durable
from wallets.usage.events import CONFLICT, DUPLICATE, Event, Outcome

# In order, so that of two batches with the same events one waits, and never each for the other.
CLAIM = """
WITH asked AS (
    SELECT * FROM unnest(%(keys)s::uuid[], %(contents)s::uuid[]) WITH ORDINALITY AS a (key, content, number)
), claimed AS (
    INSERT INTO wallets_usageeventkey (key, content, received_at)
    SELECT key, content, %(now)s FROM asked WHERE number <= %(wanted)s ORDER BY key
    ON CONFLICT (key) DO NOTHING RETURNING key
)
SELECT a.key, c.key IS NOT NULL, k.content
FROM asked a LEFT JOIN claimed c ON c.key = a.key LEFT JOIN wallets_usageeventkey k ON k.key = a.key
"""
KNOWN = "SELECT key, content FROM wallets_usageeventkey WHERE key = ANY (%s::uuid[])"


class Named:
    """Events with their hashes, made once."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.keys = [event.key for event in events]
        self.contents = [event.content for event in events]


def claim(named: Named, wanted: Collection[int], *, now: datetime) -> dict[int, Outcome | None]:
    """Claim the wanted events, by position, inside the caller's transaction.

    Answers with None for those that are claimed now, and for what was known, wanted or not, whether it is a duplicate
    or a conflict. Of those that come twice in the batch the first is claimed.
    """
    first: dict[UUID, int] = {}
    for position in sorted(range(len(named.keys)), key=lambda position: position not in wanted):
        first.setdefault(named.keys[position], position)
    fresh, stands = _ask(named, list(first.values()), wanted, now)
    return {
        position: None if key in fresh and first[key] == position else DUPLICATE if stands[key] == content else CONFLICT
        for position, (key, content) in enumerate(zip(named.keys, named.contents, strict=True))
        if key in stands
    }


def _ask(
    named: Named, positions: Sequence[int], wanted: Collection[int], now: datetime
) -> tuple[set[UUID], dict[UUID, UUID]]:
    """The keys that are claimed now, and for each key that is taken, now or before, the content that stands for it."""
    asked = {named.keys[position]: named.contents[position] for position in positions}
    count = sum(position in wanted for position in positions)
    rows = sql.rows(
        CLAIM,
        {"keys": sql.uuids(asked), "contents": sql.uuids(asked.values()), "wanted": count, "now": now},
    )
    fresh = {key for key, claimed, _ in rows if claimed}
    stands = {key: asked[key] if claimed else content for key, claimed, content in rows if claimed or content}
    # Claimed by a transaction that this statement waited for, and whose rows it couldn't see.
    if hidden := [named.keys[position] for position in positions[:count] if named.keys[position] not in stands]:
        stands |= dict(sql.rows(KNOWN, (sql.uuids(hidden),)))
    return fresh, stands


FORGET = """
DELETE FROM wallets_usageeventkey WHERE key IN (
    SELECT key FROM wallets_usageeventkey WHERE received_at < %s LIMIT %s
)
"""
BATCH = 20_000


def forget(*, now: datetime) -> int:
    """Forget events that were taken longer than `USAGE_KEY_DAYS` ago: what repeats them is too old by then. Returns how
    many.
    """
    before, forgotten = now - timedelta(days=settings.USAGE_KEY_DAYS), 0
    while count := _forget(before):
        forgotten += count
    return forgotten


@durable
def _forget(before: datetime) -> int:
    return sql.run(FORGET, (before, BATCH)).rowcount
