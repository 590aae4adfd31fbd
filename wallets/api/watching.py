"""What is watched of a wallet's current balance, over HTTP: thresholds and their alerts, and its automatic top-up."""

from datetime import UTC, datetime
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
from wallets.api.lists import ListView, Page
from wallets.api.shapes import In
from wallets.models import AutomaticTopUp, UsageAlert, UsageThreshold
from wallets.usage import alerts, automatic, thresholds
from wallets.usage.amounts import written
from wallets.usage.automatic import LONGEST_COOL_DOWN, SHORTEST_COOL_DOWN, Plan

TAGS = ("usage",)
Kind = Literal["current", "runway"]
Mark = Annotated[int, Meta(ge=-(10**15), le=10**15)]
Amount = Annotated[int, Meta(ge=1, le=10**15)]


class ThresholdIn(In, frozen=True):
    """Below how many minor units of current balance, or hours of runway, an alert opens, and from where on it closes:
    by itself a tenth above, a quarter for hours.
    """

    below: Mark
    kind: Kind = "current"
    clears_at: Mark | None = None


class ThresholdOut(Struct):
    """A threshold: minor units of current balance, or hours of runway."""

    id: UUID
    kind: Kind
    below: int
    clears_at: int
    created_at: datetime


class ThresholdsOut(Struct):
    """A wallet's thresholds; there are 20 at most."""

    results: list[ThresholdOut]


class AlertOut(Struct):
    """A wallet is, or was, below a threshold: `figure` is what was left when the alert opened."""

    id: UUID
    kind: Kind
    below: int
    figure: str
    latest: str
    opened_at: datetime
    closed_at: datetime | None


class Alerts(Struct):
    """A page of alerts, newest first."""

    results: list[AlertOut]
    next: str | None
    previous: str | None


class AutomaticTopUpIn(In, frozen=True):
    """From which wallet of the same owner, below what, by how much; minor units, and seconds between two."""

    source: UUID
    below: Mark
    amount: Amount
    monthly_cap: Amount | None = None
    cool_down: Annotated[int, Meta(ge=SHORTEST_COOL_DOWN, le=LONGEST_COOL_DOWN)] = 600


class AutomaticTopUpOut(Struct):
    """How a wallet is topped up by itself; `declines` in a row so far, and not before `next_at`."""

    wallet: UUID
    source: UUID
    below: int
    amount: int
    monthly_cap: int | None
    cool_down: int
    is_active: bool
    declines: int
    next_at: datetime | None


class ThresholdsView(APIView):
    @operation(summary="Thresholds of a low balance", answers={200: ThresholdsOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        found = thresholds.visible(caller_of(request), id)
        return Response(ThresholdsOut([threshold_out(threshold) for threshold in found]))

    @operation(summary="Set a threshold", body=ThresholdIn, answers={201: ThresholdOut}, tags=TAGS)
    def post(self, request: Request, id: UUID) -> Response:
        """For owners, and services with the scope `usage:write`."""
        body = wire.read(request, ThresholdIn)
        made = thresholds.set_for(
            caller_of(request), id, kind=body.kind, below=body.below, clears_at=body.clears_at, now=timezone.now()
        )
        return Response(threshold_out(made), status=201, headers={"Location": f"{request.path}/{made.pk}"})


class ThresholdView(APIView):
    @operation(summary="Remove a threshold", answers={204: None}, tags=TAGS)
    def delete(self, request: Request, id: UUID, threshold_id: UUID) -> Response:
        """Its alert is closed with it."""
        thresholds.remove_for(caller_of(request), id, threshold_id, now=timezone.now())
        return Response(status=204)


class AlertsView(ListView):
    @operation(summary="Alerts of a low balance", query=Page, answers={200: Alerts}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        wire.query(request, Page)
        return Response(self.pages.page(alerts.visible(caller_of(request), id), request, alert_out))


class AutomaticTopUpView(APIView):
    @operation(summary="The automatic top-up", answers={200: AutomaticTopUpOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        return Response(automatic_top_up_out(automatic.find(caller_of(request), id)))

    @operation(
        summary="Set up the automatic top-up", body=AutomaticTopUpIn, answers={200: AutomaticTopUpOut}, tags=TAGS
    )
    def put(self, request: Request, id: UUID) -> Response:
        """For whoever manages both wallets. It acts on the exact current balance, in the owner's name."""
        body = wire.read(request, AutomaticTopUpIn)
        plan = Plan(body.source, body.below, body.amount, body.monthly_cap, body.cool_down)
        return Response(automatic_top_up_out(automatic.set_up(caller_of(request), id, plan, now=timezone.now())))

    @operation(summary="Switch the automatic top-up off", answers={204: None}, tags=TAGS)
    def delete(self, request: Request, id: UUID) -> Response:
        automatic.switch_off(caller_of(request), id, now=timezone.now())
        return Response(status=204)


def threshold_out(found: UsageThreshold) -> ThresholdOut:
    return ThresholdOut(found.pk, found.kind, found.below, found.clears_at, found.created_at.astimezone(UTC))  # type: ignore[arg-type]


def alert_out(alert: UsageAlert) -> AlertOut:
    return AlertOut(
        alert.pk, alert.kind, alert.below, written(alert.figure), written(alert.latest),  # type: ignore[arg-type]
        alert.opened_at.astimezone(UTC), alert.closed_at and alert.closed_at.astimezone(UTC),
    )  # fmt: skip


def automatic_top_up_out(plan: AutomaticTopUp) -> AutomaticTopUpOut:
    return AutomaticTopUpOut(
        plan.pk, plan.source_id, plan.below, plan.amount, plan.monthly_cap, plan.cool_down, plan.is_active,
        plan.declines, plan.next_at and plan.next_at.astimezone(UTC),
    )  # fmt: skip
