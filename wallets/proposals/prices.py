"""What usage costs from when on: a version of a meter's price is announced, taken back or ended."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import UUID

from msgspec import Struct

from ledger.durable import within
from wallets import currencies
from wallets.access import NotFound
from wallets.models import MeterPrice
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two
from wallets.usage import meters, prices
from wallets.usage.amounts import ZERO
from wallets.usage.pricing import Tier
from wallets.usage.tariffs import Tariff


class Tariffs(Struct, frozen=True, forbid_unknown_fields=True):
    """A tariff as it is stored: decimals as text, in minor units. A tier is up to how much, and a unit's price."""

    model: Literal["per_unit", "package", "graduated"]
    unit_amount: str | None = None
    package_size: str | None = None
    tiers: tuple[tuple[str | None, str], ...] = ()
    allowance: str = "0"

    def read(self) -> Tariff:
        """As usage is priced by it."""
        tiers = [Tier(_decimal(up_to), Decimal(amount)) for up_to, amount in self.tiers]
        return Tariff(
            self.model, _decimal(self.unit_amount), _decimal(self.package_size), tiers,
            _decimal(self.allowance) or ZERO,
        )  # fmt: skip

    def says(self) -> str:
        """In a word or two."""
        if self.model == "graduated":
            steps = [f"{amount} up to {up_to}" if up_to else f"{amount} above" for up_to, amount in self.tiers]
            return ", ".join(steps)
        return f"{self.unit_amount} for {self.package_size}" if self.package_size else f"{self.unit_amount} each"


class NewPrice(Deed, frozen=True):
    """Announce what a meter costs in a currency, for everybody or for one wallet; from the soonest that can be without
    `starts_at`.
    """

    kind: ClassVar[str] = "price"

    meter: str
    currency: str
    tariff: Tariffs
    wallet: UUID | None = None
    starts_at: datetime | None = None

    def subject(self) -> tuple[str, str]:
        return "meter", str(meters.find(self.meter).pk)

    def says(self) -> str:
        whom = f"wallet …{str(self.wallet)[-8:]}" if self.wallet else "everybody"
        since = f"{self.starts_at:%Y-%m-%d %H:%M} UTC" if self.starts_at else "the soonest"
        return f"Price {self.meter} at {self.tariff.says()} (minor units of {self.currency}) for {whom}, from {since}."

    def basis(self) -> Mapping[str, Any]:
        """The version that it follows."""
        currencies.check(self.currency)
        self.tariff.read().check()
        versions = MeterPrice.objects.filter(
            meter=meters.find(self.meter), currency=self.currency, wallet=self.wallet
        )  # fmt: skip
        newest = versions.order_by("starts_at").last()
        return {"follows": str(newest.pk) if newest else None, "from": newest and newest.starts_at.isoformat()}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> None:
        within(prices.announce)(
            self.meter, self.tariff.read(), currency=self.currency, by=by, now=now, wallet_id=self.wallet,
            starts_at=self.starts_at,
        )  # fmt: skip


class PriceEnd(Deed, frozen=True):
    """Take back a version that isn't in effect yet, or end a wallet's own price as soon as can be."""

    kind: ClassVar[str] = "price_end"

    price: UUID

    def subject(self) -> tuple[str, str]:
        return "meter", str(self._found().meter_id)

    def says(self) -> str:
        price = self._found()
        return f"Take back or end the price of {price}."

    def basis(self) -> Mapping[str, Any]:
        price = self._found()
        if price.ends_at is not None:
            raise InvalidState("It ends already; another version follows it.")
        return {"starts_at": price.starts_at.isoformat(), "ends_at": None}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> None:
        price = self._found()
        deed = within(prices.take_back if price.starts_at > now else prices.end)
        deed(self.price, meter_slug=price.meter.slug, by=by, now=now)

    def _found(self) -> MeterPrice:
        found = MeterPrice.objects.select_related("meter").filter(pk=self.price).first()
        if found is None:
            raise NotFound("price")
        return found


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
