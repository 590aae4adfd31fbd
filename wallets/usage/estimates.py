"""Estimated balances: the account is asked each time, what else is needed is taken from where it is near and current.

Memory, then Redis, then the database: one query where the rest is kept, three where nothing is, two of them together.
Redis is asked ahead: it answers while the database tells of the account.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from ledger import sql
from wallets.access import NotFound
from wallets.balances import Ask
from wallets.usage import balances, cache, history, profiles
from wallets.usage.balances import Balance, Usage
from wallets.usage.cache import Kept
from wallets.usage.forecasts import Forecast
from wallets.usage.months import minute_of, month_of
from wallets.usage.projection import Estimate, Projection, estimate

Source = Literal["memory", "redis", "database"]


@dataclass(frozen=True, slots=True)
class Known:
    """A balance with what is needed to project it, where that came from, and whether a cache that should have been
    asked was away.
    """

    balance: Balance
    kept: Kept
    source: Source
    degraded: bool

    def estimate(self, *, projection: Projection = "auto", max_age: float | None = None) -> Estimate:
        """The balance as it is likely to be by now."""
        return estimate(
            self.balance, self.kept.profile, self.kept.forecast, projection=projection, max_age=max_age
        )  # fmt: skip


def read(asks: Sequence[Ask], *, now: datetime, cached: bool = True) -> list[Known | NotFound]:
    """What is known of balances, for each who asks; NotFound where there is none that they may see.

    Without `cached` all of it is read from the database.
    """
    far = cache.ask_ahead(ask.wallet for ask in asks) if cached else None
    found = balances.read(asks, now=now)
    gathered = _gather({each.wallet: each.usage for each in found if isinstance(each, Balance) and each.usage}, far)
    degraded = cached and bool(gathered.usages) and cache.is_away()
    return [gathered.known(each, degraded) if isinstance(each, Balance) else each for each in found]


class _Gathered:
    """What is kept of each wallet, filled from level to level until all of it is of the version that was read."""

    def __init__(self, usages: Mapping[UUID, Usage]) -> None:
        self.usages = usages
        self.kept = dict.fromkeys(usages, Kept())
        self.sources: dict[UUID, Source] = {}

    def lacking(self) -> list[UUID]:
        """The wallets of which something isn't found yet."""
        return [wallet for wallet, kept in self.kept.items() if not (kept.profile and kept.forecast)]

    def known(self, balance: Balance, degraded: bool) -> Known:
        """A balance with what was found of its wallet."""
        wallet = balance.wallet
        return Known(balance, self.kept.get(wallet, Kept()), self.sources.get(wallet, "database"), degraded)

    def take(self, source: Source, found: Mapping[UUID, Kept]) -> None:
        """Take what a level has, as far as it still holds."""
        for wallet, each in found.items():
            usage, known = self.usages[wallet], self.kept[wallet]
            profile = each.profile if each.profile and each.profile.version == usage.version else None
            forecast = each.forecast if each.forecast and _holds(each.forecast, usage) else None
            self.kept[wallet] = Kept(known.profile or profile, known.forecast or forecast)
            self.sources[wallet] = source

    def read(self, wallets: Sequence[UUID]) -> None:
        """Read what wallets lack from the database: one query for months and one for the past, asked together."""
        lacking = {
            wallet: month_of(self.usages[wallet].watermark) for wallet in wallets if not self.kept[wallet].profile
        }
        unknown = {wallet: self.usages[wallet] for wallet in wallets if not self.kept[wallet].forecast}
        with sql.pipeline():
            months = profiles.ask(lacking) if lacking else dict
            minutes = history.ask(unknown) if unknown else None
        found = months()
        known = {wallet: found.get(wallet) or self.kept[wallet].profile for wallet in wallets}
        past = minutes({wallet: each for wallet, each in known.items() if each}) if minutes else {}
        for wallet in wallets:
            forecast = past[wallet].forecast() if wallet in past else self.kept[wallet].forecast
            self.kept[wallet] = Kept(known[wallet], forecast)
            self.sources[wallet] = "database"


def _gather(usages: Mapping[UUID, Usage], far: Callable[[Iterable[UUID]], Mapping[UUID, Kept]] | None) -> _Gathered:
    """What is needed of each wallet, from the nearest place that has it of the version that was read."""
    found = _Gathered(usages)
    if far:
        found.take("memory", {wallet: cache.memory.get(wallet) for wallet in usages})
        if lacking := found.lacking():
            found.take("redis", far(lacking))
    if lacking := found.lacking():
        found.read(lacking)
    cache.keep({wallet: found.kept[wallet] for wallet, source in found.sources.items() if source != "memory"})
    return found


def _holds(forecast: Forecast, usage: Usage) -> bool:
    """Whether a forecast was made from the minutes that there are now."""
    return forecast.until == minute_of(usage.watermark) and forecast.revised == usage.revised
