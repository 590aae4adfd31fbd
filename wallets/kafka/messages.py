"""Messages as events: our JSON, or CloudEvents, in their envelope or with it in headers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from users.api import wire
from users.validation import ValidationError
from wallets.api.cloudevents import CloudEvent, attributed, native
from wallets.api.events import EventIn, event_of
from wallets.usage.consuming import Message
from wallets.usage.unreadable import Partition, Unreadable


class Received(Protocol):
    """A message as confluent-kafka gives it."""

    def topic(self) -> str | None: ...
    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> Any: ...
    def timestamp(self) -> tuple[int, int]: ...


def read(received: Received, now: datetime) -> Message:
    """A message as the event it tells of, or as what is wrong with it."""
    partition = Partition(received.topic() or "", received.partition() or 0)
    offset, value = received.offset() or 0, received.value() or b""
    kept_as = Unreadable(partition, offset, "It can't be written.", value, _sent_at(received, now))
    sent_by = f"kafka:{partition.number}/{offset} of {partition.topic}"
    try:
        headers = {name: bytes(text or b"").decode() for name, text in received.headers() or []}
        return Message(event_of(body(value, headers), sent_by), kept_as)
    except ValidationError as error:
        detail = "; ".join(f"{each['field']}: {each['detail']}" for each in error.errors)
    except ValueError as error:
        detail = str(error)
    return Message(None, replace(kept_as, detail=detail))


def body(value: bytes, headers: Mapping[str, str]) -> EventIn:
    """What a message says. Raises ValidationError, and ValueError for what isn't JSON."""
    data: Any = msgspec.json.decode(value)
    if "ce_id" in headers:
        return native(attributed(headers, data, prefix="ce_"), EventIn)
    if isinstance(data, dict) and "specversion" in data:
        return native(wire.convert(data, CloudEvent), EventIn)
    return wire.convert(data, EventIn)


def _sent_at(received: Received, now: datetime) -> datetime:
    """When the broker or the sender says it was sent; now where neither does, or says what can't be."""
    _, milliseconds = received.timestamp()
    try:
        return datetime.fromtimestamp(milliseconds / 1_000, UTC) if milliseconds > 0 else now
    except (OverflowError, ValueError):
        return now
