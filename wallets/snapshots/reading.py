"""Asking a provider what it holds, no more often than we may."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.cache import caches

from users.validation import ValidationError
from wallets.providers.port import BalanceReading, Capability, PaymentProvider, ProviderUnavailable

# As many decimals as we keep.
FINEST = Decimal("1e-9")


class AskedTooOften(ProviderUnavailable):
    """We may not ask this provider again within this minute."""

    title: ClassVar[str] = "The provider is asked as often as it may be"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an account at a provider held, in major units: what is available, and all of it."""

    account: str
    currency: str
    available: Decimal
    total: Decimal
    as_of: datetime
    metadata: Mapping[str, Any]

    def identity(self, provider: str, wallet: UUID) -> str:
        """The reading's name: the same reading of the same wallet's account has the same one."""
        parts = (provider, self.account, wallet, self.currency, self.as_of.isoformat(), self.available, self.total)
        return sha256("|".join(map(str, parts)).encode()).hexdigest()[:40]


def check_tells_balances(provider: PaymentProvider) -> None:
    """Raise ValidationError for a provider that can't be asked."""
    if Capability.BALANCES not in provider.capabilities:
        raise ValidationError.on("provider", "not_supported", f"{provider.slug} doesn't tell balances; choose another.")


def read(provider: PaymentProvider, currency: str, account: str | None, *, now: datetime) -> Reading:
    """Ask for one account, or for the first one where none is known yet. Raises ProviderUnavailable."""
    _count(provider.slug, now)
    found = provider.fetch_balances(currency)
    for reading in found:
        if reading.currency == currency and account in (None, reading.external_account_id):
            return _reading(reading)
    raise ProviderUnavailable(f"{provider.slug} told no balance of {account or 'an account'} in {currency}.")


def _reading(told: BalanceReading) -> Reading:
    total = told.available + (told.locked or 0) if told.ledger is None else told.ledger
    said = {"available": told.available, "ledger": told.ledger, "locked": told.locked}
    exact = {name: None if amount is None else format(amount, "f") for name, amount in said.items()}
    metadata = exact | {"external_account_id": told.external_account_id, "told": dict(told.metadata)}
    available, total = (amount.quantize(FINEST, ROUND_FLOOR) for amount in (told.available, total))
    return Reading(told.external_account_id, told.currency, available, total, told.as_of, metadata)


def _count(provider: str, now: datetime) -> None:
    """One more question in this minute, counted by all processes in Redis, by this one where Redis is away."""
    limit = settings.BALANCE_READS_PER_MINUTE
    cache, key = caches["ratelimit"], f"balances:{provider}:{now:%Y%m%d%H%M}"
    if not limit:
        return
    cache.add(key, 0, 120)
    if cache.incr(key) > limit:
        raise AskedTooOften(f"{provider} was asked {limit} times within this minute; ask again in the next.")
