"""What our books say that a provider holds, and how much of what it says they can't explain."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Sum

from ledger.balances import standings
from wallets import chart
from wallets.models import PayoutAttempt, Withdrawal

# Given to the provider, or about to be, and not settled in our books.
SENT = (Withdrawal.Status.PROCESSING, Withdrawal.Status.IN_REVIEW)
# Known not to have reached it, or refused by it: whatever the books still hold, it never left there.
STAYED = (PayoutAttempt.Outcome.NOT_SENT, PayoutAttempt.Outcome.REFUSED)


class Books(NamedTuple):
    """One provider and currency, in minor units: our clearing account, and the payouts in flight."""

    clearing: int
    in_flight: int


def read(provider: str, currency: str, *, now: datetime) -> Books:
    """Our side of it. Payouts are read first: one that settles in between is then taken for in flight, which explains
    too much for a moment and never too little.
    """
    in_flight = _in_flight(provider, currency)
    account = chart.clearing(provider, currency).id
    standing = standings([account], now=now).get(account)
    return Books(standing.balance if standing else 0, in_flight)


def drift(total: int, before: Books, after: Books) -> int:
    """How far the provider's total lies outside of what our books explain, in minor units; 0 within.

    A payout in flight may have left the provider or not: with 1,000 in the clearing account and 300 in flight, all
    from 700 to 1,000 is explained; 1,020 is a drift of 20, 690 one of −10. The books are read before and after the
    provider is asked, and what lies between the two readings is explained as well.
    """
    least = min(books.clearing - books.in_flight for books in (before, after))
    most = max(before.clearing, after.clearing)
    return total - min(max(total, least), most)


def _in_flight(provider: str, currency: str) -> int:
    sent = PayoutAttempt.objects.filter(withdrawal=OuterRef("pk")).exclude(outcome__in=STAYED)
    found = Withdrawal.objects.filter(Exists(sent), provider=provider, currency=currency, status__in=SENT)
    return int(found.aggregate(sum=Sum("amount"))["sum"] or 0)
