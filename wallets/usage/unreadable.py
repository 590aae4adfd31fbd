"""Messages that are no events: they lie in quarantine with their place in the stream, and nothing waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from ledger import sql
from wallets.usage.events import digest
from wallets.usage.quarantine import KEEP

# So many bytes of a message are kept for people to look at.
SHOWN = 4_000
NOBODY = UUID(int=0)
# No event: nothing of it can be let in.
CODES = ("unreadable", "messages_lost")


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message, where it lies in a stream, and why it isn't taken for an event."""

    partition: Partition
    offset: int
    detail: str
    payload: bytes
    sent_at: datetime
    code: str = "unreadable"

    @property
    def key(self) -> bytes:
        """By what it is known again: its place."""
        return digest(f"kafka\0{self.partition.topic}\0{self.partition.number}\0{self.offset}")

    @property
    def told(self) -> str:
        """What people are shown of it, as the properties of an event."""
        text = self.payload[:SHOWN].decode(errors="backslashreplace").replace("\0", "\\x00")
        place = {"topic": self.partition.topic, "partition": self.partition.number, "offset": self.offset}
        message = {"detail": self.detail[:SHOWN], "payload": text, "bytes": len(self.payload)}
        return msgspec.json.encode(place | message).decode()


def keep(found: Sequence[Unreadable], *, sent_by: str, now: datetime) -> None:
    """Keep them, inside the caller's transaction; the same again is one line."""
    if not found:
        return
    sql.run(
        KEEP,
        (
            now, sql.uuids(uuid7() for _ in found), sql.hashes(each.key for each in found),
            sql.hashes(digest(f"{each.code}\0{each.payload.hex()}") for each in found),
            sql.texts(each.code for each in found),
            sql.texts(f"kafka:{each.partition.topic}"[:200] for each in found),
            sql.texts(f"{each.partition.number}/{each.offset}" for each in found),
            sql.uuids(NOBODY for _ in found), sql.texts("" for _ in found), sql.integers(0 for _ in found),
            sql.moments(each.sent_at for each in found), sql.texts(each.told for each in found),
            sql.texts(sent_by[:60] for _ in found),
        ),
    )  # fmt: skip
