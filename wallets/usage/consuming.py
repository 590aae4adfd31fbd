"""Messages of a stream, taken part by part: how far it is stands beside what was taken, in the same transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import DataError, IntegrityError

from ledger.durable import durable
from wallets import metrics
from wallets.usage import offsets, unreadable
from wallets.usage.events import Event
from wallets.usage.ingestion import take
from wallets.usage.offsets import Hold, Reader
from wallets.usage.unreadable import Partition, Unreadable

# What no second try would mend: the message itself is at fault.
AT_FAULT = (DataError, IntegrityError, ValueError)


@dataclass(frozen=True, slots=True)
class Message:
    """What a message was read as; and as what it is kept where the event in it can't be written."""

    found: Event | None
    kept_as: Unreadable

    @property
    def partition(self) -> Partition:
        """Where it came from."""
        return self.kept_as.partition

    @property
    def next_offset(self) -> int:
        """Where its partition goes on."""
        return self.kept_as.offset + 1


def take_messages(
    reader: Reader, holds: Mapping[Partition, Hold], messages: Sequence[Message], *, now: datetime
) -> Counter[str]:
    """Take messages, each once, and move their partitions behind them. Returns how many became what.

    One that can't be written is found by halves, and kept in quarantine. Raises Replaced where a partition is another
    consumer's: then nothing of it was taken.
    """
    # Those of before this term are taken, whatever the stream says.
    fresh = [message for message in messages if message.next_offset > holds[message.partition].next_offset]
    if not fresh:
        return Counter()
    try:
        counts = _take(reader, holds, fresh, now)
    except AT_FAULT as error:
        if len(fresh) > 1:
            half = len(fresh) // 2
            first = take_messages(reader, holds, fresh[:half], now=now)
            return first + take_messages(reader, holds, fresh[half:], now=now)
        kept = replace(fresh[0].kept_as, detail=str(error))
        counts = _take(reader, holds, [Message(None, kept)], now)
    for message in fresh:
        holds[message.partition].next_offset = message.next_offset
    return counts


@durable
def _take(
    reader: Reader, holds: Mapping[Partition, Hold], messages: Sequence[Message], now: datetime
) -> Counter[str]:  # fmt: skip
    """All of it or nothing; the partitions first, so that who was replaced is told before it writes anything."""
    behind = {message.partition: message.next_offset for message in messages}
    offsets.move(reader, holds.values(), behind)
    events = [message.found for message in messages if message.found]
    counts = Counter[str](outcome.status for outcome in take(events, now=now, heard=False))
    wrong = [message.kept_as for message in messages if message.found is None]
    if wrong:
        unreadable.keep(wrong, sent_by=f"kafka:{reader.consumers}", now=now)
        metrics.usage_taken("unreadable", len(wrong))
        counts["unreadable"] = len(wrong)
    return counts
