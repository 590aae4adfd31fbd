"""Balances that count usage, as they go over the wire."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from wallets import currencies
from wallets.access import NotFound
from wallets.usage.accuracy import Horizon
from wallets.usage.amounts import ZERO, written
from wallets.usage.balances import Balance
from wallets.usage.estimates import Known, Source
from wallets.usage.forecasts import CONFIDENCE
from wallets.usage.projection import Estimate

Amount = Annotated[str, Meta(description="Minor units, with up to 6 decimals.", examples=["1169.25"])]
MILLISECOND = timedelta(milliseconds=1)


class CurrentOut(Struct, kw_only=True):
    """current = available − unsettled_usage, exact: every event that was acknowledged by `as_of` is in it. The latest
    was taken at `watermark`. Where usage that a wallet can't cover is billed, it takes nothing below 0.
    """

    wallet: UUID
    currency: str
    exponent: int
    available: Amount
    unsettled_usage: Amount
    current: Amount
    is_estimate: bool
    as_of: datetime
    watermark: datetime
    staleness_ms: int
    version: int


class IntervalOut(Struct):
    """Between which two the balance should lie, so often."""

    confidence: float
    lower: Amount
    upper: Amount


class RateOut(Struct):
    """What usage costs in a second, and how far back that looks."""

    per_second: Amount
    window_seconds: int


class EstimatedOut(CurrentOut, kw_only=True):
    """estimated = current − projected_usage, and as `current` not below 0 where that is billed: never above `current`,
    and nothing that moves money acts on it.
    """

    projected_usage: Amount
    estimated: Amount
    method: Literal["none", "ewma"]
    interval: IntervalOut
    rate: RateOut
    runway_seconds: int | None
    source: Source
    degraded: bool


class UnknownOut(Struct):
    """A wallet that isn't there, or is somebody else's."""

    wallet: UUID
    code: str
    detail: str


class EstimatesOut(Struct):
    """The balances that were found, in the order in which they were asked for, and the wallets that weren't."""

    results: list[EstimatedOut]
    missing: list[UnknownOut]


class HorizonOut(Struct):
    """How estimates so far ahead went: 95 % should lie within their interval. Mean errors in minor units, of no
    projection, of the rate, and of what `auto` chose.
    """

    horizon_seconds: int
    windows: int
    coverage: float
    mean_error: dict[str, Amount]


class AccuracyOut(Struct):
    """Estimates tried on the wallet's own past, up to a day of it; a horizon of which there is no past is missing."""

    wallet: UUID
    currency: str
    confidence: float
    since: datetime
    until: datetime
    horizons: list[HorizonOut]


def current_out(balance: Balance) -> CurrentOut:
    return CurrentOut(**_current(balance, balance.watermark), is_estimate=False)


def estimated_out(known: Known, estimate: Estimate) -> EstimatedOut:
    return EstimatedOut(
        **_current(known.balance, estimate.watermark), is_estimate=True, projected_usage=written(estimate.projected),
        estimated=written(estimate.estimated), method=estimate.method,
        interval=IntervalOut(CONFIDENCE, written(estimate.lower), written(estimate.upper)),
        rate=RateOut(written(estimate.rate_per_second), estimate.window_seconds),
        runway_seconds=estimate.runway_seconds, source=known.source, degraded=known.degraded,
    )  # fmt: skip


def unknown_out(wallet: UUID, refusal: NotFound) -> UnknownOut:
    return UnknownOut(wallet, refusal.code, str(refusal))


def horizon_out(tried: Horizon) -> HorizonOut:
    errors = {"none": written(tried.none), "ewma": written(tried.ewma), "auto": written(tried.auto)}
    return HorizonOut(tried.minutes * 60, tried.windows, tried.coverage, errors)


def headers(balance: CurrentOut, error_bound: Decimal | None = None) -> dict[str, str]:
    """What proxies and clients read without the body; an estimate has an error bound."""
    estimated = isinstance(balance, EstimatedOut)
    common = {
        "X-Balance-Estimated": "true" if estimated else "false",
        "X-Balance-As-Of": _moment(balance.as_of), "X-Balance-Watermark": _moment(balance.watermark),
        "X-Balance-Staleness-Ms": str(balance.staleness_ms),
        # Whatever is kept near, the account was asked just now.
        "Age": "0", "Cache-Control": "private, no-cache",
    }  # fmt: skip
    if not isinstance(balance, EstimatedOut):
        return common
    return common | {"X-Balance-Method": balance.method, "X-Balance-Error-Bound": written(error_bound or ZERO)}


def _current(balance: Balance, watermark: datetime) -> dict[str, Any]:
    standing = balance.standing
    return {
        "wallet": balance.wallet, "currency": standing.currency, "exponent": currencies.exponent(standing.currency),
        "available": str(standing.available), "unsettled_usage": written(balance.unsettled),
        "current": written(balance.current), "as_of": balance.as_of.astimezone(UTC),
        "watermark": watermark.astimezone(UTC), "version": balance.version,
        "staleness_ms": int((balance.as_of - watermark) / MILLISECOND),
    }  # fmt: skip


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
