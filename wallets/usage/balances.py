"""What is left in a wallet when usage that isn't settled yet is counted: exact, and asked of the database each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from ledger.balances import Standing
from users.callers import Caller
from users.permissions import require_scope
from wallets.access import NotFound
from wallets.balances import BALANCES, Ask, ask_for, standing
from wallets.usage import policies
from wallets.usage.amounts import ZERO, exact

# One row for each asker: the wallet, what is in it, and its usage. Neither months nor events are looked at.
COLUMNS = """
u.rated, u.posted, u.version, u.revised, u.opened_at, u.watermark, u.overage, u.low_mark,
"""
READ = BALANCES.format(columns=COLUMNS, joins="LEFT JOIN wallets_usageaccount u ON u.wallet_id = w.id")


class Usage(NamedTuple):
    """A wallet's usage account as it was read."""

    rated: Decimal
    posted: int
    version: int
    revised: int
    opened_at: datetime
    watermark: datetime
    overage: str
    low_mark: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What is in a wallet at a moment, and what usage leaves of it. Amounts are minor units.

    All events that were acknowledged by `as_of` are in it.
    """

    wallet: UUID
    standing: Standing
    usage: Usage | None
    as_of: datetime

    @property
    def unsettled(self) -> Decimal:
        """What was rated and isn't posted yet."""
        return self.usage.rated - self.usage.posted if self.usage else ZERO

    @property
    def overage(self) -> str:
        """What becomes of usage that the wallet can't cover."""
        return self.usage.overage if self.usage else settings.USAGE_OVERAGE

    @property
    def current(self) -> Decimal:
        """What is available less what is unsettled, by the wallet's policy."""
        return self.after(ZERO)

    def after(self, usage: Decimal) -> Decimal:
        """What `current` would be after so much more usage, in minor units."""
        return policies.current(self.overage, self.standing.available, self.unsettled + usage)

    @property
    def watermark(self) -> datetime:
        """When events were last taken; that of a wallet without usage is now."""
        return min(self.usage.watermark, self.as_of) if self.usage else self.as_of

    @property
    def version(self) -> int:
        """Another one, and a greater, whenever the wallet or its usage has moved."""
        return self.standing.version + (self.usage.version if self.usage else 0)


def check_may_read(caller: Caller) -> None:
    """Raise PermissionDenied for a service that may not read wallets."""
    require_scope(caller, "wallets:read")


@exact
def read(asks: Sequence[Ask], *, now: datetime) -> list[Balance | NotFound]:
    """The balances as they are, one for each who asks; NotFound where there is none that they may see."""
    rows = ask_for(READ, asks, now)
    return [_balance(ask, row, now) for ask, row in zip(asks, rows, strict=True)]


def _balance(ask: Ask, row: tuple[Any, ...], now: datetime) -> Balance | NotFound:
    width = len(Usage._fields)
    usage, found = row[:width], standing(ask.caller, row[width:])
    if isinstance(found, NotFound):
        return found
    return Balance(ask.wallet, found, Usage(*usage) if usage[0] is not None else None, now)
