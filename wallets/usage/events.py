"""An event as somebody reports it, by what it is known again, and what becomes of it."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal, NamedTuple
from uuid import UUID

from msgspec import Struct, field, to_builtins

from wallets.usage.amounts import written

Status = Literal["accepted", "duplicate", "conflict", "rejected"]


class Event(Struct, frozen=True):
    """So much of a meter was used by a wallet at a moment (UTC), says a source under an id of its own. `sent_by` is
    who brought it, in a word, and no part of what it says.
    """

    source: str
    event_id: str
    wallet: UUID
    meter: str
    quantity: Decimal
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    sent_by: str = ""

    @property
    def key(self) -> bytes:
        """By what it is known again: its source and id, and nothing else. A new moment makes no new event."""
        return digest(f"{self.source}\0{self.event_id}")

    @property
    def content(self) -> bytes:
        """A hash of all that it says, however that is written. It is kept, so that it must stay what it is."""
        said = f"{self.wallet.hex}\0{self.meter}\0{written(self.quantity)}\0{_isoformat(self.occurred_at)}\0"
        return digest(said + self.document if self.properties else said)

    @property
    def document(self) -> str:
        """Its properties as they are stored."""
        return json.dumps(self.properties, sort_keys=True, ensure_ascii=False) if self.properties else "{}"


class Outcome(NamedTuple):
    """What became of an event; a code and a sentence where it wasn't taken."""

    status: Status
    code: str = ""
    detail: str = ""


ACCEPTED = Outcome("accepted")
DUPLICATE = Outcome("duplicate")
CONFLICT = Outcome(
    "conflict", "event_reused",
    "The source has used this id for an event with other content; that one stands. Report a correction as a new event.",
)  # fmt: skip


def _isoformat(moment: datetime) -> str:
    """As `datetime.isoformat` writes it, in a fifth of the time."""
    text: str = to_builtins(moment)
    return f"{text[:-1]}+00:00" if text[-1] == "Z" else text


_BEGUN = blake2b(digest_size=16)


def digest(text: str) -> bytes:
    """A hash of a text, as long as an id."""
    # To copy one is quicker than to begin one.
    begun = _BEGUN.copy()
    begun.update(text.encode())
    return begun.digest()
