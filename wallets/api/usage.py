"""A wallet's usage over HTTP: a series of it, how it is settled, and what becomes of what the wallet can't cover."""

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
from users.permissions import require_scope
from wallets.api.events import Slug
from wallets.api.lists import ListView, Page
from wallets.api.shapes import In
from wallets.api.wallets import When, read_moment
from wallets.models import UsageAccount, UsageSettlement
from wallets.usage import accounts, series
from wallets.usage.amounts import written

TAGS = ("usage",)
Overage = Literal["stop", "overdraft", "bill"]
Granularity = Literal["minute", "hour", "day"]


class UsageQuery(Struct, forbid_unknown_fields=True, kw_only=True, rename={"since": "from", "until": "to"}):
    granularity: Granularity = "hour"
    meter: Slug | None = None
    since: When | None = None
    until: When | None = None


class PolicyIn(In, frozen=True):
    """What becomes of usage that the wallet can't cover, and below how many minor units it is settled at once."""

    overage: Overage | None = None
    low_mark: Annotated[int, Meta(ge=0, le=10**15)] | None = None


class UsagePointOut(Struct):
    """What a meter counted in the step that began at `at`, and what that cost in minor units."""

    at: datetime
    meter: str
    quantity: str
    amount: str
    events: int


class UsageOut(Struct, rename={"since": "from", "until": "to"}):
    """Points, oldest first; a step without usage has none."""

    wallet: UUID
    currency: str
    granularity: Granularity
    since: datetime
    until: datetime
    results: list[UsagePointOut]


class PolicyOut(Struct):
    """How a wallet's usage is settled; minor units."""

    wallet: UUID
    overage: Overage
    low_mark: int
    rated: str
    settled: int
    unsettled: str


class SettlementOut(Struct):
    """Usage that was posted: `amount` minor units, of which `billed` weren't taken from the wallet; a negative amount
    gave back. `lines` tell what it was for, `unsettled` what was carried on.
    """

    id: UUID
    wallet: UUID
    amount: int
    billed: int
    currency: str
    unsettled: str
    lines: list[dict[str, str]]
    reason: str
    transaction: UUID
    created_at: datetime


class Settlements(Struct):
    """A page of settlements, newest first."""

    results: list[SettlementOut]
    next: str | None
    previous: str | None


class SettledOut(Struct):
    """The settlement that was made; null where there wasn't a whole minor unit, or nothing to cover it."""

    settlement: SettlementOut | None


class UsageView(APIView):
    @operation(summary="What a wallet used", query=UsageQuery, answers={200: UsageOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        """By minute, hour or day of when it occurred. Without `from` the last 60 minutes, 168 hours or 31 days."""
        which = wire.query(request, UsageQuery)
        until = read_moment(which.until, "to", end=True) or timezone.now()
        found = series.series(
            caller_of(request), id, which.granularity, meter=which.meter, since=read_moment(which.since, "from"),
            until=until,
        )  # fmt: skip
        points = [_point_out(point) for point in found.points]
        return Response(UsageOut(id, found.currency, which.granularity, found.since, found.until, points))


class SettlementsView(ListView):
    @operation(summary="A wallet's settlements", query=Page, answers={200: Settlements}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        """What was paid for usage, and what for."""
        wire.query(request, Page)
        found = accounts.settlements(caller_of(request), id)
        return Response(self.pages.page(found, request, settlement_out))


class SettleView(APIView):
    @operation(summary="Settle usage now", answers={200: SettledOut}, tags=TAGS)
    def post(self, request: Request, id: UUID) -> Response:
        """For services with the scope `usage:write`. Needs no key: what is settled isn't there to be settled again."""
        made = accounts.settle(caller_of(request), id, now=timezone.now())
        return Response(SettledOut(settlement_out(made) if made else None))


class PolicyView(APIView):
    @operation(summary="How usage is settled", answers={200: PolicyOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        return Response(_policy_out(accounts.find(caller, id, now=timezone.now())))

    @operation(summary="Change how usage is settled", body=PolicyIn, answers={200: PolicyOut}, tags=TAGS)
    def patch(self, request: Request, id: UUID) -> Response:
        """For services with the scope `usage:write`."""
        caller = caller_of(request)
        body = wire.read(request, PolicyIn)
        changed = accounts.change(
            caller, id, overage=body.overage, low_mark=body.low_mark, now=timezone.now()
        )  # fmt: skip
        return Response(_policy_out(changed))


def settlement_out(made: UsageSettlement) -> SettlementOut:
    return SettlementOut(
        made.pk, made.wallet_id, made.amount, made.billed, made.currency, written(made.unsettled), made.lines,
        made.reason, made.transaction_id, made.made_at.astimezone(UTC),
    )  # fmt: skip


def _point_out(point: series.Point) -> UsagePointOut:
    return UsagePointOut(point.at, point.meter, written(point.quantity), written(point.amount), point.events)


def _policy_out(account: UsageAccount) -> PolicyOut:
    unsettled = written(account.rated - account.posted)
    return PolicyOut(
        account.wallet_id, account.overage, account.low_mark, written(account.rated), account.posted,  # type: ignore[arg-type]
        unsettled,
    )  # fmt: skip
