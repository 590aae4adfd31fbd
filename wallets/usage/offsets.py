"""How far topics were read: a row for each partition, moved in the transaction that takes what the partition held.

Only who has the newest term of a partition may move it. A consumer that was believed dead, and wakes up, finds that it
was replaced, and leaves nothing behind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ledger import sql
from ledger.durable import durable
from wallets.usage import unreadable
from wallets.usage.unreadable import Partition, Unreadable


class Replaced(Exception):
    """Somebody else has been given a partition: what was read of it is theirs to take."""


class Reader(NamedTuple):
    """Who reads: a group of consumers that share topics, and which of them."""

    consumers: str
    holder: str


class Edges(NamedTuple):
    """The first offset that a partition still has, and the one that comes next."""

    low: int
    high: int


@dataclass(slots=True)
class Hold:
    """A partition in a reader's hands: the term, and the first offset that isn't taken."""

    partition: Partition
    term: int
    next_offset: int


CLAIM = """
INSERT INTO wallets_kafkaoffset AS known
    (consumers, topic, partition, next_offset, end_offset, term, holder, claimed_at, seen_at)
SELECT r.consumers, p.topic, p.number, p.low, p.high, 1, r.holder, r.now, r.now
FROM (SELECT %s AS consumers, %s AS holder, %s::timestamptz AS now) AS r,
     unnest(%s::text[], %s::int4[], %s::int8[], %s::int8[]) AS p (topic, number, low, high)
ORDER BY p.topic, p.number
ON CONFLICT (consumers, topic, partition) DO UPDATE
SET term = known.term + 1, holder = EXCLUDED.holder, claimed_at = EXCLUDED.claimed_at, seen_at = EXCLUDED.seen_at,
    end_offset = EXCLUDED.end_offset
RETURNING topic, partition, term, next_offset
"""


@durable
def claim(reader: Reader, edges: Mapping[Partition, Edges], *, now: datetime) -> list[Hold]:
    """Begin a new term of partitions, behind whatever the term before has taken; a new one begins at its first offset.

    What the topic lost before it was read is told in quarantine, and passed over.
    """
    rows = sql.rows(
        CLAIM,
        (
            *reader, now, sql.texts(partition.topic for partition in edges),
            sql.integers(partition.number for partition in edges), sql.integers(edge.low for edge in edges.values()),
            sql.integers(edge.high for edge in edges.values()),
        ),
    )  # fmt: skip
    holds = [Hold(Partition(topic, number), term, offset) for topic, number, term, offset in rows]
    astray = [hold for hold in holds if not edges[hold.partition].low <= hold.next_offset <= edges[hold.partition].high]
    if astray:
        lost = [_lost(hold, edges[hold.partition], now) for hold in astray]
        unreadable.keep(lost, sent_by=f"kafka:{reader.consumers}", now=now)
        for hold in astray:
            hold.next_offset = edges[hold.partition].low
        move(reader, astray, {hold.partition: hold.next_offset for hold in astray})
    return holds


def _lost(hold: Hold, edges: Edges, now: datetime) -> Unreadable:
    if hold.next_offset < edges.low:
        detail = f"The topic has removed offsets {hold.next_offset} to {edges.low - 1}, which weren't read."
    else:
        detail = f"The topic ends before offset {hold.next_offset}, up to which it was read: it was made anew."
    return Unreadable(hold.partition, hold.next_offset, detail, b"", now, code="messages_lost")


MOVE = """
UPDATE wallets_kafkaoffset k SET next_offset = n.next_offset, end_offset = greatest(k.end_offset, n.next_offset)
FROM unnest(%s::text[], %s::int4[], %s::int8[], %s::int8[]) AS n (topic, number, term, next_offset)
WHERE k.consumers = %s AND k.topic = n.topic AND k.partition = n.number AND k.term = n.term
"""


def move(reader: Reader, holds: Iterable[Hold], offsets: Mapping[Partition, int]) -> None:
    """Move partitions, inside the caller's transaction. Raises Replaced where the term of one is over."""
    moving = sorted((hold for hold in holds if hold.partition in offsets), key=lambda hold: hold.partition)
    where = [sql.texts(hold.partition.topic for hold in moving), sql.integers(hold.partition.number for hold in moving)]
    sql.run(LOCK, (*where, reader.consumers))
    moved = sql.run(
        MOVE,
        (
            *where, sql.integers(hold.term for hold in moving),
            sql.integers(offsets[hold.partition] for hold in moving), reader.consumers,
        ),
    ).rowcount  # fmt: skip
    if moved != len(moving):
        raise Replaced("Another consumer has been given a partition of ours.")


# In order, so that of two that move the same partitions one waits, and never each for the other.
LOCK = """
SELECT FROM wallets_kafkaoffset k
JOIN unnest(%s::text[], %s::int4[]) AS n (topic, number) ON k.topic = n.topic AND k.partition = n.number
WHERE k.consumers = %s ORDER BY k.topic, k.partition FOR NO KEY UPDATE OF k
"""
SAW = """
UPDATE wallets_kafkaoffset k SET end_offset = greatest(n.high, k.next_offset), seen_at = %s
FROM unnest(%s::text[], %s::int4[], %s::int8[], %s::int8[]) AS n (topic, number, term, high)
WHERE k.consumers = %s AND k.topic = n.topic AND k.partition = n.number AND k.term = n.term
"""


@durable
def saw(reader: Reader, holds: Mapping[Partition, Hold], ends: Mapping[Partition, int], *, now: datetime) -> None:
    """Note where partitions end now: what is between that and what was taken is the lag."""
    sql.run(
        SAW,
        (
            now, sql.texts(partition.topic for partition in ends), sql.integers(partition.number for partition in ends),
            sql.integers(holds[partition].term for partition in ends), sql.integers(ends.values()), reader.consumers,
        ),
    )  # fmt: skip
