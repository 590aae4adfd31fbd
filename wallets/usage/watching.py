"""What workers that watch wallets read: the balances as they are, whoever's they are."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from users.callers import Caller
from wallets.access import NotFound
from wallets.balances import Ask
from wallets.usage import balances, estimates
from wallets.usage.balances import Balance

# Reads every wallet, as a service would that may; nothing is done in its name.
WATCHMAN = Caller("service", UUID(int=0), frozenset({"wallets:read"}))
HOUR = Decimal(3_600)


def current(wallets: Iterable[UUID], *, now: datetime) -> dict[UUID, Balance]:
    """The exact balances of wallets, asked of the database."""
    found = balances.read([Ask(WATCHMAN, wallet) for wallet in sorted(set(wallets))], now=now)
    return {each.wallet: each for each in found if isinstance(each, Balance)}


def runways(wallets: Iterable[UUID], *, now: datetime) -> dict[UUID, Decimal | None]:
    """How many hours what is left will last; None for ever."""
    asks = [Ask(WATCHMAN, wallet) for wallet in sorted(set(wallets))]
    known = {each.balance.wallet: each for each in estimates.read(asks, now=now) if not isinstance(each, NotFound)}
    seconds = {wallet: each.estimate().runway_seconds for wallet, each in known.items()}
    return {wallet: None if found is None else found / HOUR for wallet, found in seconds.items()}
