"""What a wallet's policy makes of usage that it can't cover: pure, and the same wherever it is asked."""

from decimal import Decimal

from ledger.money import MAX_POSTING
from wallets.models import UsageAccount
from wallets.usage.amounts import ZERO, whole

Overage = UsageAccount.Overage


def current(overage: str, available: int, unsettled: Decimal) -> Decimal:
    """What is left of what is available: below 0 for usage that waits for money. Where that is billed, usage takes
    nothing below 0, nor of a balance that is there already.
    """
    left = available - unsettled
    if overage != Overage.BILL:
        return left
    # What is given back is there before anything is taken: whole minor units, rounded up as a settlement does.
    return max(left, min(ZERO, Decimal(available - min(0, whole(unsettled)))))


def taken(overage: str, available: int, floor: int, unsettled: Decimal) -> tuple[int, int]:
    """What a settlement takes from the wallet and what it bills, in whole minor units; negative gives back.

    `floor` is what the wallet's available balance may not undercut.
    """
    due = max(-MAX_POSTING, min(whole(unsettled), MAX_POSTING))
    if due <= 0:
        return due, 0
    room = available - (floor if overage == Overage.OVERDRAFT else max(0, floor))
    from_wallet = min(due, max(0, room))
    return from_wallet, due - from_wallet if overage == Overage.BILL else 0


def room(overage: str, available: int, floor: int, unsettled: Decimal, *, held: bool) -> Decimal | None:
    """How much more usage is allowed, in minor units; None for any. What is to be `held` must be there."""
    if overage == Overage.BILL and not held:
        return None
    # What will be given back isn't there yet.
    taken = max(ZERO, unsettled) if held else unsettled
    return available - taken - (floor if overage == Overage.OVERDRAFT else max(0, floor))
