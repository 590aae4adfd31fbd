"""Asking whether a wallet may use more, over HTTP, and holding the money for it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from wallets.api.events import Slug
from wallets.api.meters import Size
from wallets.api.once import OnceView, body_of
from wallets.api.shapes import In, Nothing
from wallets.models import UsageReservation
from wallets.usage import reservations
from wallets.usage.amounts import written
from wallets.usage.reservations import Verdict, Want

TAGS = ("usage",)


class CheckIn(In, frozen=True):
    """So many minor units, or so much of a meter. With `reserve` they are held for `ttl` seconds."""

    amount: wire.Amount | None = None
    meter: Slug | None = None
    quantity: Size | None = None
    reserve: bool = False
    ttl: Annotated[int, Meta(ge=1, le=86_400)] = 300


class CaptureIn(In, frozen=True):
    """How much of a reservation is spent, all of it where nothing is said; the rest is given back."""

    amount: wire.Amount | None = None


class ReservationOut(Struct):
    """Money held for usage, in minor units."""

    id: UUID
    wallet: UUID
    amount: int
    currency: str
    meter: str | None
    quantity: str | None
    status: Literal["open", "captured", "released", "expired"]
    captured: int
    transaction: UUID | None
    expires_at: datetime
    created_at: datetime


class CheckOut(Struct):
    """Whether it is allowed, and what it would cost in whole minor units. `current` is what was left before; where it
    isn't allowed, `code` and `detail` tell why.
    """

    allowed: bool
    wallet: UUID
    amount: int
    currency: str
    current: str
    reservation: ReservationOut | None
    code: str | None
    detail: str | None
    as_of: datetime


class CheckView(OnceView):
    @operation(
        summary="May a wallet use more", body=CheckIn, answers={200: CheckOut}, tags=TAGS, idempotent=True
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponse | Response:
        """By its exact current balance and its policy. With `reserve`, for services with the scope `usage:write`, the
        money is held: then a key is needed, and the first answer is that of every repeat.
        """
        caller, now = caller_of(request), timezone.now()
        body = wire.convert(body_of(request), CheckIn)
        want = Want(body.amount, body.meter, None if body.quantity is None else Decimal(body.quantity))
        if not body.reserve:
            return Response(check_out(reservations.check(caller, id, want, now=now)))

        def act() -> tuple[int, CheckOut]:
            return 200, check_out(reservations.reserve(caller, id, want, seconds=body.ttl, now=now))

        return self.once(request, act)


class ReservationView(APIView):
    @operation(summary="A reservation", answers={200: ReservationOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        found = reservations.find(caller_of(request), id)
        return Response(reservation_out(found, timezone.now()))


class CaptureView(OnceView):
    @operation(
        summary="Capture a reservation", body=CaptureIn, answers={200: ReservationOut}, tags=TAGS, idempotent=True
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponse:
        """Spends what was held. Usage that is captured isn't reported as an event as well: it would be paid twice."""
        caller, now = caller_of(request), timezone.now()
        body = wire.convert(body_of(request), CaptureIn)

        def act() -> tuple[int, ReservationOut]:
            return 200, reservation_out(reservations.capture(caller, id, body.amount, now=now), now)

        return self.once(request, act)


class ReleaseView(OnceView):
    @operation(
        summary="Release a reservation", body=Nothing, answers={200: ReservationOut}, tags=TAGS, idempotent=True
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponse:
        """Gives all of it back. One that isn't captured by its `expires_at` is given back by itself."""
        caller, now = caller_of(request), timezone.now()
        wire.convert(body_of(request), Nothing)

        def act() -> tuple[int, ReservationOut]:
            return 200, reservation_out(reservations.release(caller, id, now=now), now)

        return self.once(request, act)


def check_out(verdict: Verdict) -> CheckOut:
    balance, reservation = verdict.balance, verdict.reservation
    return CheckOut(
        verdict.allowed, balance.wallet, verdict.amount, balance.standing.currency, written(balance.current),
        reservation_out(reservation, balance.as_of) if reservation else None,
        verdict.code or None, verdict.detail or None, balance.as_of.astimezone(UTC),
    )  # fmt: skip


def reservation_out(found: UsageReservation, now: datetime) -> ReservationOut:
    lapsed = found.status == UsageReservation.Status.OPEN and found.expires_at <= now
    return ReservationOut(
        found.pk, found.wallet_id, found.amount, found.currency, found.meter.slug if found.meter else None,
        None if found.quantity is None else written(found.quantity),
        "expired" if lapsed else found.status,  # type: ignore[arg-type]
        found.captured, found.transaction_id, found.expires_at.astimezone(UTC), found.created_at.astimezone(UTC),
    )  # fmt: skip
