"""Balances that count usage, over HTTP: exact, estimated, of many wallets, and how good the estimates were."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from wallets.access import NotFound
from wallets.api import balance_shapes as shapes
from wallets.api.shapes import In
from wallets.balances import Ask
from wallets.together import DATABASE_AWAY, Together
from wallets.usage import accuracy, balances, estimates
from wallets.usage.balances import Balance
from wallets.usage.estimates import Known
from wallets.usage.forecasts import CONFIDENCE

TAGS = ("usage",)
MOST = 500
Projection = Literal["auto", "none", "ewma"]
MaxAge = Annotated[float, Meta(ge=0, le=86_400, description="Seconds that the watermark may lie back.", examples=[5])]


class EstimateQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    projection: Projection = "auto"
    max_age: MaxAge | None = None


class EstimatesIn(In, frozen=True):
    """Up to 500 wallets whose balances are estimated."""

    wallets: Annotated[list[UUID], Meta(min_length=1, max_length=MOST)]
    projection: Projection = "auto"
    max_age: MaxAge | None = None


class NoQuery(Struct, forbid_unknown_fields=True):
    """Nothing to be chosen."""


class CurrentView(APIView):
    @operation(summary="The balance less usage", answers={200: shapes.CurrentOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> HttpResponse:
        """Exact: what gates and alerts may act on. Usage that isn't settled yet is taken off what is available."""
        caller = caller_of(request)
        balances.check_may_read(caller)
        wire.query(request, NoQuery)
        found = _currents_together(Ask(caller, id))
        if isinstance(found, NotFound):
            raise found
        body = shapes.current_out(found)
        return _tagged(request, body, shapes.headers(body))


class EstimatedView(APIView):
    @operation(
        summary="The balance as it is likely by now", query=EstimateQuery, answers={200: shapes.EstimatedOut}, tags=TAGS
    )
    def get(self, request: Request, id: UUID) -> HttpResponse:
        """What usage that wasn't reported yet may have taken of it, with an interval. `Cache-Control: no-cache` passes
        by what is kept in memory and Redis. For people: nothing that moves money acts on it.
        """
        caller = caller_of(request)
        balances.check_may_read(caller)
        which = wire.query(request, EstimateQuery)
        fresh = "no-cache" in request.headers.get("Cache-Control", "").lower()
        found = _read([Ask(caller, id)], cached=False)[0] if fresh else _estimates_together(Ask(caller, id))
        if isinstance(found, NotFound):
            raise found
        estimate = found.estimate(projection=which.projection, max_age=which.max_age)
        body = shapes.estimated_out(found, estimate)
        return _tagged(request, body, shapes.headers(body, estimate.error_bound))


class EstimatesView(APIView):
    @operation(summary="Many estimated balances", body=EstimatesIn, answers={200: shapes.EstimatesOut}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Of up to 500 wallets; those that aren't there, or are somebody else's, are told apart."""
        caller = caller_of(request)
        balances.check_may_read(caller)
        body = wire.read(request, EstimatesIn)
        found = list(zip(body.wallets, _read([Ask(caller, wallet) for wallet in body.wallets]), strict=True))
        results = [
            shapes.estimated_out(known, known.estimate(projection=body.projection, max_age=body.max_age))
            for _, known in found
            if isinstance(known, Known)
        ]
        missing = [shapes.unknown_out(wallet, known) for wallet, known in found if isinstance(known, NotFound)]
        return Response(shapes.EstimatesOut(results, missing), headers={"X-Balance-Estimated": "true"})


class AccuracyView(APIView):
    @operation(summary="How good estimates were", answers={200: shapes.AccuracyOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        """The error and the coverage of estimates, tried on what this wallet used in the last day."""
        caller = caller_of(request)
        balances.check_may_read(caller)
        wire.query(request, NoQuery)
        told = accuracy.of(caller, id, now=timezone.now())
        horizons = [shapes.horizon_out(each) for each in told.horizons]
        return Response(shapes.AccuracyOut(id, told.currency, CONFIDENCE, told.since, told.until, horizons))


def _read(asks: Sequence[Ask], *, cached: bool = True) -> list[Known | NotFound]:
    return estimates.read(asks, now=timezone.now(), cached=cached)


def _read_currents(asks: Sequence[Ask]) -> list[Balance | NotFound]:
    return balances.read(asks, now=timezone.now())


# For requests that arrived together: no request is answered with what was read before it came.
_estimates_together = Together(_read, limit=200, shared=DATABASE_AWAY)
_currents_together = Together(_read_currents, limit=200, shared=DATABASE_AWAY)


def _tagged(request: Request, body: shapes.CurrentOut, headers: Mapping[str, str]) -> HttpResponse:
    """The balance with its ETag, or 304 where the client has the same numbers already, however old."""
    said = {name: value for name, value in msgspec.to_builtins(body).items() if name not in ("as_of", "staleness_ms")}
    tag = f'W/"{blake2b(msgspec.json.encode(said), digest_size=12).hexdigest()}"'
    known = request.META.get("HTTP_IF_NONE_MATCH", "")
    if tag in [part.strip() for part in known.split(",")]:
        return HttpResponse(status=304, headers={**headers, "ETag": tag})
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", headers={**headers, "ETag": tag})
