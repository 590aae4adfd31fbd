"""Prices of meters, in versions: announced ahead, taken back until they are in effect, and then only ended."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from uuid_utils.compat import uuid7

from ledger import sql
from ledger.durable import durable
from users import audit
from users.callers import Actor, Caller
from users.validation import ValidationError
from wallets import currencies
from wallets.access import NotFound
from wallets.models import Meter, MeterPrice, UsageMonth, Wallet
from wallets.opening import InvalidState
from wallets.usage import meters
from wallets.usage.months import after, month_of, start
from wallets.usage.pricing import write_tiers
from wallets.usage.tariffs import Tariff

# Batches under way may yet be rated by what was announced before: nobody holds one open for that long.
MARGIN = timedelta(minutes=1)
# Two numbers: who rates shares the lock, so that whoever announces waits until they have committed.
SHARE_PRICES = "SELECT pg_advisory_xact_lock_shared(2, 2)"
LOCK_PRICES = "SELECT pg_advisory_xact_lock(2, 2)"


@durable
def announce(
    meter_slug: str, tariff: Tariff, *, currency: str, by: Actor, now: datetime,
    wallet_id: UUID | None = None, starts_at: datetime | None = None,
) -> MeterPrice:  # fmt: skip
    """Announce what a meter costs in a currency, for everybody or for one wallet, from a moment on; without one, from
    the soonest that can be. The version before ends then.

    Usage that was rated stays rated: so a version starts a few minutes ahead, but for the first, which may start in
    the past. Raises NotFound and ValidationError.
    """
    currencies.check(currency)
    tariff.check()
    meter = Meter.objects.select_for_update(no_key=True).filter(slug=meter_slug).first()
    if meter is None:
        raise NotFound("meter")
    _check_wallet(wallet_id, currency)
    sql.run(LOCK_PRICES)
    before = _versions(meter, currency, wallet_id).order_by("starts_at").last()
    soonest = _soonest(meter, wallet_id, before, now)
    starts_at = starts_at or soonest or start(month_of(now - timedelta(days=settings.USAGE_LATE_DAYS)))
    _check_start(meter, starts_at, soonest)
    _check_order(before, starts_at)
    if before is not None and (before.ends_at is None or before.ends_at > starts_at):
        MeterPrice.objects.filter(pk=before.pk).update(ends_at=starts_at)
    price = MeterPrice.objects.create(
        id=uuid7(), meter=meter, wallet_id=wallet_id, currency=currency, model=tariff.model,
        tiers=write_tiers(tariff.as_tiers()), package_size=tariff.package_size, allowance=tariff.allowance,
        starts_at=starts_at, created_by=":".join(by.actor)[:60], created_at=now,
    )  # fmt: skip
    _note("announced", price, by, now)
    return price


@durable
def take_back(price_id: UUID, *, meter_slug: str, by: Actor, now: datetime) -> None:
    """Take back a version that isn't in effect yet: the one before goes on. Raises NotFound and InvalidState."""
    price = _locked(price_id, meter_slug)
    if price.starts_at < _lead(now):
        raise InvalidState("The price is in effect, or about to be; announce another one that follows it.")
    if _versions(price.meter, price.currency, price.wallet_id).filter(starts_at__gt=price.starts_at).exists():
        raise InvalidState("Another version follows this one; take that one back first.")
    before = _versions(price.meter, price.currency, price.wallet_id).filter(ends_at=price.starts_at)
    price.delete()
    before.update(ends_at=None)
    price.id = price_id
    _note("taken_back", price, by, now)


@durable
def end(price_id: UUID, *, meter_slug: str, by: Actor, now: datetime, ends_at: datetime | None = None) -> MeterPrice:
    """End a wallet's own price, so that everybody's holds again. Raises NotFound, InvalidState and ValidationError."""
    price = _locked(price_id, meter_slug)
    if price.wallet_id is None or price.ends_at is not None:
        raise InvalidState("Only a wallet's own price, which hasn't been ended, can be; others are followed by one.")
    soonest = _first_of_month(_lead(now)) if price.meter.aggregation not in meters.ADDITIVE else _lead(now)
    price.ends_at = ends_at or max(soonest, price.starts_at + MARGIN)
    _check_start(price.meter, price.ends_at, soonest, field="ends_at")
    if price.ends_at <= price.starts_at:
        raise ValidationError.on("ends_at", "out_of_range", "It ends after it starts; or take it back.")
    price.save(update_fields=["ends_at"])
    _note("ended", price, by, now)
    return price


def visible(caller: Caller, meter_slug: str) -> QuerySet[MeterPrice]:
    """A meter's prices; people see everybody's and not those of single wallets. Raises NotFound."""
    found = MeterPrice.objects.filter(meter=meters.find(meter_slug)).select_related("meter")
    return found if caller.kind == "service" else found.filter(wallet=None)


def _versions(meter: Meter, currency: str, wallet_id: UUID | None) -> QuerySet[MeterPrice]:
    found = MeterPrice.objects.filter(meter=meter, currency=currency)
    return found.filter(wallet=None) if wallet_id is None else found.filter(wallet=wallet_id)


def _locked(price_id: UUID, meter_slug: str) -> MeterPrice:
    found = MeterPrice.objects.filter(pk=price_id, meter__slug=meter_slug).first()
    if found is None:
        raise NotFound("price")
    Meter.objects.select_for_update(no_key=True).get(pk=found.meter_id)
    sql.run(LOCK_PRICES)
    return MeterPrice.objects.select_related("meter").get(pk=price_id)


def _check_wallet(wallet_id: UUID | None, currency: str) -> None:
    if wallet_id is None:
        return
    wallet = Wallet.objects.filter(pk=wallet_id).first()
    if wallet is None:
        raise NotFound("wallet")
    if wallet.currency != currency:
        raise ValidationError.on("currency", "conflict", f"The wallet is in {wallet.currency}; price it in that.")


def _soonest(meter: Meter, wallet_id: UUID | None, before: MeterPrice | None, now: datetime) -> datetime | None:
    """When a version may start at the soonest; None where nothing was rated yet that it could change."""
    used = wallet_id is not None and UsageMonth.objects.filter(wallet_id=wallet_id, meter=meter).exists()
    if before is None and not used:
        return None
    return _lead(now) if meter.aggregation in meters.ADDITIVE else _first_of_month(_lead(now))


def _lead(now: datetime) -> datetime:
    """Before it, events may have been rated."""
    return now + timedelta(seconds=settings.USAGE_FUTURE_SECONDS) + MARGIN


def _first_of_month(moment: datetime) -> datetime:
    """The first beginning of a month that isn't before a moment."""
    begins = start(month_of(moment))
    return begins if begins == moment else start(after(month_of(moment)))


def _check_start(meter: Meter, moment: datetime, soonest: datetime | None, field: str = "starts_at") -> None:
    if soonest is not None and moment < soonest:
        detail = f"The soonest is {soonest.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}: what was rated before stays as it is."
        raise ValidationError.on(field, "out_of_range", detail)
    if meter.aggregation not in meters.ADDITIVE and start(month_of(moment)) != moment:
        detail = f"What {meter} counts is a figure of a whole month: its prices change with a month (UTC)."
        raise ValidationError.on(field, "invalid", detail)


def _check_order(before: MeterPrice | None, starts_at: datetime) -> None:
    if before is not None and starts_at <= before.starts_at:
        raise ValidationError.on("starts_at", "out_of_range", "A later version is announced already; take that back.")


def _note(verb: str, price: MeterPrice, by: Actor, now: datetime) -> None:
    data = {
        "meter": price.meter.slug, "currency": price.currency, "wallet": price.wallet_id and str(price.wallet_id),
        "model": price.model, "tiers": price.tiers, "allowance": str(price.allowance),
        "starts_at": price.starts_at.isoformat(), "ends_at": price.ends_at and price.ends_at.isoformat(),
    }  # fmt: skip
    audit.record(actor=by, action=f"price.{verb}", kind="price", object_id=price.pk, data=data, now=now)
