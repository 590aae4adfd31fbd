"""Meters and their prices, for the services that manage them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from wallets.api.events import Slug
from wallets.api.lists import ListView, Page
from wallets.api.shapes import Currency, In
from wallets.models import Meter, MeterPrice
from wallets.usage import meters, prices
from wallets.usage.amounts import ZERO, written
from wallets.usage.meters import NewMeter
from wallets.usage.permissions import check_may_read_meters, check_may_report
from wallets.usage.pricing import Tier
from wallets.usage.tariffs import Tariff

TAGS = ("meters",)
Aggregation = Literal["sum", "count", "max", "unique", "latest"]
Model = Literal["per_unit", "package", "graduated"]
PRICE, SIZE = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?", r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?"
UnitAmount = Annotated[
    str, wire.spelt(PRICE, description="Minor units: up to 12 digits and 12 decimals.", examples=["0.25"])
]
Size = Annotated[str, wire.spelt(SIZE, description="A quantity: up to 15 digits and 9 decimals.", examples=["1000"])]


class MeterIn(In, frozen=True):
    """A meter to be made; `property` where different values are counted."""

    slug: Slug
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    aggregation: Aggregation
    unit: Annotated[str, Meta(max_length=32)] = ""
    property: Annotated[str, Meta(max_length=64)] = ""


class MeterChange(In, frozen=True):
    """What may change about a meter."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    unit: Annotated[str, Meta(max_length=32)] | None = None
    is_active: bool | None = None


class TierIn(In, frozen=True):
    """What a unit costs above the tier before, up to a quantity; null is without end."""

    unit_amount: UnitAmount
    up_to: Size | None = None


class PriceIn(In, frozen=True):
    """A price to be announced: for everybody, or for a wallet. Without `starts_at`, from the soonest that can be."""

    currency: Currency
    model: Model
    unit_amount: UnitAmount | None = None
    package_size: Size | None = None
    tiers: Annotated[list[TierIn], Meta(max_length=50)] = []
    allowance: Size = "0"
    wallet: UUID | None = None
    starts_at: wire.Moment | None = None


class EndIn(In, frozen=True):
    """When a wallet's own price ends; the soonest that can be without it."""

    ends_at: wire.Moment | None = None


class MeterOut(Struct):
    """A meter."""

    slug: str
    name: str
    unit: str
    aggregation: Aggregation
    property: str
    is_active: bool
    created_at: datetime


class TierOut(Struct):
    """A tier: minor units for one unit, up to a quantity."""

    up_to: str | None
    unit_amount: str


class PriceOut(Struct):
    """A version of a price, in minor units; `tiers` has one where it isn't graduated."""

    id: UUID
    meter: str
    currency: str
    wallet: UUID | None
    model: Model
    tiers: list[TierOut]
    package_size: str | None
    allowance: str
    starts_at: datetime
    ends_at: datetime | None
    created_at: datetime


class Meters(Struct):
    """A page of meters, newest first."""

    results: list[MeterOut]
    next: str | None
    previous: str | None


class Prices(Struct):
    """A page of a meter's prices, newest first."""

    results: list[PriceOut]
    next: str | None
    previous: str | None


class MetersView(ListView):
    @operation(summary="Meters", query=Page, answers={200: Meters}, tags=TAGS)
    def get(self, request: Request) -> Response:
        check_may_read_meters(caller_of(request))
        wire.query(request, Page)
        return Response(self.pages.page(meters.meters(), request, meter_out))

    @operation(summary="Make a meter", body=MeterIn, answers={201: MeterOut}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """For services with the scope `usage:write`. How a meter counts never changes."""
        caller = caller_of(request)
        check_may_report(caller)
        body = wire.read(request, MeterIn)
        new = NewMeter(body.slug, body.name, body.unit, body.aggregation, body.property)
        made = meters.make(new, by=caller, now=timezone.now())
        return Response(meter_out(made), status=201, headers={"Location": f"{request.path}/{made.slug}"})


class MeterView(APIView):
    @operation(summary="A meter", answers={200: MeterOut}, tags=TAGS)
    def get(self, request: Request, slug: str) -> Response:
        check_may_read_meters(caller_of(request))
        return Response(meter_out(meters.find(slug)))

    @operation(summary="Rename a meter, or take it out of use", body=MeterChange, answers={200: MeterOut}, tags=TAGS)
    def patch(self, request: Request, slug: str) -> Response:
        caller = caller_of(request)
        check_may_report(caller)
        body = wire.read(request, MeterChange)
        changed = meters.change(
            slug, by=caller, now=timezone.now(), name=body.name, unit=body.unit, is_active=body.is_active
        )
        return Response(meter_out(changed))


class PricesView(ListView):
    @operation(summary="A meter's prices", query=Page, answers={200: Prices}, tags=TAGS)
    def get(self, request: Request, slug: str) -> Response:
        """Services see all of them, people those that hold for everybody."""
        caller = caller_of(request)
        check_may_read_meters(caller)
        wire.query(request, Page)
        return Response(self.pages.page(prices.visible(caller, slug), request, price_out))

    @operation(summary="Announce a price", body=PriceIn, answers={201: PriceOut}, tags=TAGS)
    def post(self, request: Request, slug: str) -> Response:
        """It ends the version before. A meter's first price may start in the past; others a few minutes from now."""
        caller = caller_of(request)
        check_may_report(caller)
        body = wire.read(request, PriceIn)
        made = prices.announce(
            slug, _tariff(body), currency=body.currency, by=caller, now=timezone.now(), wallet_id=body.wallet,
            starts_at=wire.in_utc(body.starts_at, "starts_at") if body.starts_at else None,
        )  # fmt: skip
        return Response(price_out(made), status=201, headers={"Location": f"{request.path}/{made.pk}"})


class PriceView(APIView):
    @operation(summary="Take a price back", answers={204: None}, tags=TAGS)
    def delete(self, request: Request, slug: str, id: UUID) -> Response:
        """Until it is in effect. The version before goes on."""
        caller = caller_of(request)
        check_may_report(caller)
        prices.take_back(id, meter_slug=slug, by=caller, now=timezone.now())
        return Response(status=204)


class EndView(APIView):
    @operation(summary="End a wallet's own price", body=EndIn, answers={200: PriceOut}, tags=TAGS)
    def post(self, request: Request, slug: str, id: UUID) -> Response:
        """Everybody's price holds for the wallet again."""
        caller = caller_of(request)
        check_may_report(caller)
        body = wire.read(request, EndIn)
        moment = wire.in_utc(body.ends_at, "ends_at") if body.ends_at else None
        return Response(price_out(prices.end(id, meter_slug=slug, by=caller, now=timezone.now(), ends_at=moment)))


def meter_out(meter: Meter) -> MeterOut:
    return MeterOut(
        meter.slug, meter.name, meter.unit, meter.aggregation, meter.property, meter.is_active,  # type: ignore[arg-type]
        meter.created_at.astimezone(UTC),
    )  # fmt: skip


def price_out(price: MeterPrice) -> PriceOut:
    return PriceOut(
        price.pk, price.meter.slug, price.currency, price.wallet_id, price.model,  # type: ignore[arg-type]
        [TierOut(**tier) for tier in price.tiers],
        None if price.package_size is None else written(price.package_size), written(price.allowance),
        price.starts_at.astimezone(UTC), price.ends_at and price.ends_at.astimezone(UTC),
        price.created_at.astimezone(UTC),
    )  # fmt: skip


def _tariff(body: PriceIn) -> Tariff:
    return Tariff(
        body.model, _decimal(body.unit_amount), _decimal(body.package_size),
        [Tier(_decimal(tier.up_to), Decimal(tier.unit_amount)) for tier in body.tiers],
        _decimal(body.allowance) or ZERO,
    )  # fmt: skip


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
