"""What the bank holds for us, by its own books: what it began with and what was paid in, less what was paid out, and
less its fees.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Sum

from wallets.models import SandboxCheckout, SandboxFloat, SandboxPayout
from wallets.sandbox_bank.bank import amount_paid, fee_for, status_of


@dataclass(frozen=True, slots=True)
class Holding:
    """One currency, in minor units: all that the bank holds, and what of it is set aside for payouts under way."""

    total: int
    locked: int


def holding(currency: str, *, now: datetime) -> Holding:
    """What the bank holds of a currency at this moment."""
    opening = SandboxFloat.objects.filter(pk=currency).values_list("amount", flat=True).first() or 0
    paid_in = SandboxCheckout.objects.filter(currency=currency, status=SandboxCheckout.Status.PAID)
    came = paid_in.aggregate(sum=Sum(F("paid") - F("fee")))["sum"] or 0
    went = locked = 0
    for payout in SandboxPayout.objects.filter(currency=currency).iterator():
        status = status_of(payout, now)
        went += amount_paid(payout) + fee_for(payout.amount) if status == "paid" else 0
        locked += payout.amount + fee_for(payout.amount) if status in ("pending", "waiting") else 0
    return Holding(opening + came - went, locked)


def set_holding(currency: str, total: int, *, now: datetime) -> None:
    """Let the bank hold `total` minor units now, whatever it has paid so far."""
    opening = total - holding(currency, now=now).total
    found, fresh = SandboxFloat.objects.get_or_create(currency=currency, defaults={"amount": opening})
    if not fresh:
        SandboxFloat.objects.filter(pk=found.pk).update(amount=F("amount") + opening)
