"""Being paid: checkouts that we open and somebody pays or refuses, and money that simply comes to an account."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from ledger.durable import durable
from wallets.models import SandboxCheckout
from wallets.sandbox_bank import notices
from wallets.sandbox_bank.bank import BankTimeout, fee_for

# What the last two digits of an amount in minor units do.
DECLINED, TIMES_OUT, STUCK, TOLD_TWICE, PAYS_LESS = 1, 2, 4, 6, 7

Status = SandboxCheckout.Status


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be paid, in minor units, by whom, and where their browser goes then."""

    amount: int
    currency: str
    payer: str
    return_url: str


def open_checkout(reference: str, terms: Terms, *, now: datetime) -> SandboxCheckout:
    """Open a checkout, or find the one of that reference. Raises BankTimeout, for one amount only after opening it."""
    checkout, fresh = SandboxCheckout.objects.get_or_create(
        reference=reference,
        defaults={
            "number": f"chk_{uuid4().hex}",
            "amount": terms.amount,
            "currency": terms.currency,
            "payer": terms.payer[:200],
            "return_url": terms.return_url[:500],
            "opened_at": now,
        },
    )
    if fresh and terms.amount % 100 == TIMES_OUT:
        raise BankTimeout("No answer within the time limit.")
    return checkout


def find(reference: str = "", number: str = "") -> SandboxCheckout | None:
    """A checkout by our reference or the bank's number."""
    which = {"pk": reference} if reference else {"number": number}
    return SandboxCheckout.objects.filter(**which).first()


@durable
def pay(reference: str, *, now: datetime) -> SandboxCheckout:
    """Somebody pays a checkout, once; its amount may make that go otherwise. Tells us by webhook after the commit."""
    checkout = SandboxCheckout.objects.select_for_update(no_key=True).get(pk=reference)
    trick = checkout.amount % 100
    if checkout.status != Status.OPEN:
        return checkout
    if trick == DECLINED:
        return _end(checkout, Status.REFUSED, now)
    checkout.paid = checkout.amount - (trick == PAYS_LESS)
    checkout.fee = fee_for(checkout.amount)
    if trick == STUCK:
        return _end(checkout, Status.STUCK, now, times=0)
    return _end(checkout, Status.PAID, now, times=2 if trick == TOLD_TWICE else 1)


@durable
def refuse(reference: str, *, now: datetime) -> SandboxCheckout:
    """Somebody refuses to pay an open checkout."""
    checkout = SandboxCheckout.objects.select_for_update(no_key=True).get(pk=reference)
    return _end(checkout, Status.REFUSED, now) if checkout.status == Status.OPEN else checkout


@durable
def receive(amount: int, currency: str, *, payer: str, now: datetime) -> SandboxCheckout:
    """Money that nobody announced comes to our account: a collection. Told of like a paid checkout."""
    number = f"col_{uuid4().hex}"
    checkout = SandboxCheckout(
        reference=number, number=number, amount=amount, currency=currency, payer=payer, paid=amount, opened_at=now
    )
    return _end(checkout, Status.PAID, now)


def _end(checkout: SandboxCheckout, status: Status, now: datetime, *, times: int = 1) -> SandboxCheckout:
    checkout.status, checkout.ended_at = status, now
    checkout.save()
    for _ in range(times):
        notices.promise("deposit", checkout.reference)
    return checkout
