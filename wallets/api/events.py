"""Usage events over HTTP: one, or up to a thousand; ours, or CloudEvents."""

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from users.callers import Caller
from users.validation import FieldError, ValidationError
from wallets.api import cloudevents
from wallets.api.cloudevents import CloudEvent, native
from wallets.api.shapes import In
from wallets.together import DATABASE_AWAY, Together
from wallets.usage import ingestion
from wallets.usage.amounts import QUANTITY, are_quantities
from wallets.usage.events import Event, Outcome
from wallets.usage.permissions import check_may_report

TAGS = ("usage",)
MOST = 1_000
Name = Annotated[str, Meta(min_length=1, max_length=200)]
SLUG = "[a-z0-9][a-z0-9._-]{0,63}"
_is_slug = re.compile(SLUG).fullmatch
Slug = Annotated[str, wire.spelt(SLUG, examples=["api-calls"])]
Quantity = Annotated[
    str, wire.spelt(QUANTITY, description="A decimal: up to 15 digits and 9 decimals.", examples=["1.5"])
]


class EventIn(In, frozen=True):
    """That a wallet used so much of a meter. A source never gives an id twice, but to repeat the same event."""

    event_id: Name
    source: Name
    wallet: UUID
    meter: Slug
    quantity: Quantity
    occurred_at: wire.Moment
    properties: wire.Metadata = {}


class EventsIn(In, frozen=True):
    """Up to 1,000 events; each is judged by itself."""

    events: Annotated[list[EventIn], Meta(min_length=1, max_length=MOST)]


class _Envelope(In, frozen=True):
    events: Annotated[list[Any], Meta(min_length=1, max_length=MOST)]


class EventOut(Struct, omit_defaults=True):
    """What became of an event. `code` and `detail` tell why it wasn't taken, `errors` which of its fields are wrong."""

    event_id: str
    source: str
    status: Literal["accepted", "duplicate", "conflict", "rejected"]
    code: str | None = None
    detail: str | None = None


class EventItemOut(EventOut, omit_defaults=True, kw_only=True):
    """What became of one of a batch, by its position."""

    index: int
    errors: list[FieldError] | None = None


class EventsOut(Struct):
    """What became of a batch, in its order, and how many of it became what."""

    results: list[EventItemOut]
    accepted: int
    duplicate: int
    conflict: int
    rejected: int


def _take_together(events: Sequence[Event]) -> list[Outcome]:
    return ingestion.take_durably(events, now=timezone.now())


together = Together(_take_together, limit=200, shared=DATABASE_AWAY)


class EventsView(APIView):
    media_types: ClassVar[dict[str, type]] = {cloudevents.MEDIA_TYPE: dict}

    @operation(
        summary="Report usage", body=EventIn, also={cloudevents.MEDIA_TYPE: CloudEvent}, answers={200: EventOut},
        tags=TAGS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """For services with the scope `usage:write`. Needs no key: the event's source and id are one. Also as a
        CloudEvent, structured or binary: `type` is the meter, `subject` the wallet, `data.quantity` how much.
        """
        caller = caller_of(request)
        check_may_report(caller)
        cloudy = _cloud_event(request)
        event = event_of(wire.read(request, EventIn) if cloudy is None else native(cloudy, EventIn), caller.key)
        return Response(_told(event, together(event)))


class EventBatchView(APIView):
    body_limit = settings.BATCH_BODY_LIMIT
    media_types: ClassVar[dict[str, type]] = {cloudevents.BATCH_MEDIA_TYPE: list}

    @operation(
        summary="Report usage many times", body=EventsIn, also={cloudevents.BATCH_MEDIA_TYPE: list[CloudEvent]},
        answers={200: EventsOut}, tags=TAGS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Each event is accepted, a duplicate, a conflict or rejected by itself; what is accepted is so together. Also
        as a batch of CloudEvents, by its media type.
        """
        caller = caller_of(request)
        check_may_report(caller)
        cloudy = _media_type(request) == cloudevents.BATCH_MEDIA_TYPE
        given = {"events": request.data} if cloudy else request.data
        events = _read(caller, wire.convert(given, _Envelope).events, cloudy)
        valid = [event for event in events if isinstance(event, Event)]
        outcomes = iter(ingestion.take_durably(valid, now=timezone.now()))
        items = [
            _item(index, event, next(outcomes)) if isinstance(event, Event) else _invalid(index, *event)
            for index, event in enumerate(events)
        ]
        counts: Counter[str] = Counter(item.status for item in items)
        return Response(EventsOut(items, *(counts[status] for status in STATUSES)))


STATUSES = ("accepted", "duplicate", "conflict", "rejected")
_Wrong = tuple[Any, ValidationError]


def _read(caller: Caller, items: list[Any], cloudy: bool) -> list[Event | _Wrong]:
    """Each item as an event, or with what is wrong with it."""
    if not cloudy and (events := _read_all(caller, items)) is not None:
        return events
    return [_read_one(caller, item, cloudy) for item in items]


class _Unpatterned(EventIn, frozen=True):
    """An event whose texts are still to be looked at: of a whole batch that is done at once."""

    meter: str
    quantity: str


def _read_all(caller: Caller, items: list[Any]) -> list[Event | _Wrong] | None:
    """Each item as an event; None where something is wrong with any."""
    try:
        bodies = msgspec.convert(items, list[_Unpatterned])
        slugs, quantities = {body.meter for body in bodies}, [body.quantity for body in bodies]
        if not (all(map(_is_slug, slugs)) and are_quantities(quantities)):
            return None
        sent_by = caller.key
        return [event_of(body, sent_by) for body in bodies]
    except (msgspec.ValidationError, ValidationError):
        return None


def _read_one(caller: Caller, item: Any, cloudy: bool) -> Event | _Wrong:
    try:
        cloudy = cloudy or cloudevents.is_cloudy(item)
        body = native(wire.convert(item, CloudEvent), EventIn) if cloudy else wire.convert(item, EventIn)
        return event_of(body, caller.key)
    except ValidationError as error:
        return item, error


def event_of(body: EventIn, sent_by: str) -> Event:
    """The event that a body tells of. Raises ValidationError for a moment beyond the calendar."""
    return Event(
        body.source, body.event_id, body.wallet, body.meter, Decimal(body.quantity),
        wire.in_utc(body.occurred_at, "occurred_at"), body.properties, sent_by,
    )  # fmt: skip


def _told(event: Event, outcome: Outcome) -> EventOut:
    return EventOut(event.event_id, event.source, outcome.status, outcome.code or None, outcome.detail or None)


def _item(index: int, event: Event, outcome: Outcome) -> EventItemOut:
    return EventItemOut(
        event.event_id, event.source, outcome.status, outcome.code or None, outcome.detail or None, index=index
    )


def _invalid(index: int, item: Any, error: ValidationError) -> EventItemOut:
    names = [item.get(name) if isinstance(item, dict) else None for name in ("event_id", "source", "id")]
    event_id, source, id = (name if isinstance(name, str) else "" for name in names)
    return EventItemOut(
        event_id or id, source, "rejected", error.code, str(error), index=index, errors=error.errors
    )  # fmt: skip


def _cloud_event(request: Request) -> CloudEvent | None:
    """The event in its envelope, where it came in one."""
    if _media_type(request) == cloudevents.MEDIA_TYPE or cloudevents.is_cloudy(request.data):
        return wire.read(request, CloudEvent)
    return cloudevents.enveloped(request.headers, request.data) if "ce-id" in request.headers else None


def _media_type(request: Request) -> str:
    return str(request.content_type).partition(";")[0].strip().lower()
