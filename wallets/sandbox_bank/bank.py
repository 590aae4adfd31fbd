"""Paying accounts: orders come in, are paid after a while, or misbehave as their account number says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.utils import timezone

from wallets.models import SandboxPayout
from wallets.sandbox_bank import notices

REFUSED = "0000000001"
TIMES_OUT = "0000000002"
STUCK = "0000000004"
FAILS_LATER = "0000000005"
TOLD_TWICE = "0000000006"
PAYS_LESS = "0000000007"
WANTS_OTP = "0000000008"
FOUND_LATE = "0000000009"
SENT_BACK = "0000000010"

# What the bank takes for an amount that ends so, in minor units, and how such an amount ends.
HAS_FEE = 15

FOUND_AFTER = timedelta(seconds=5)
SENT_BACK_AFTER = timedelta(seconds=3)

BANKS = {"044": "Access Bank", "058": "Guaranty Trust Bank", "057": "Zenith Bank", "999": "Sandbox Bank"}
HOLDERS = ("Amina Bello", "Chidi Okafor", "Zoë Adeyemi", "Kwame Mensah", "Njeri Kamau", "Thandi Dlamini")


class BankTimeout(Exception):
    """The bank didn't answer in time. It may have the order all the same."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bank's answer to an order: accepted, action_required, rejected, or already_exists for a known reference."""

    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """An order as the bank has it: pending, waiting (for a one-time password), paid, failed or reversed."""

    status: str
    amount: int
    currency: str
    detail: str
    fee: int


class SandboxBank:
    """Pays any ten-digit account after `settle_after` seconds, but for the numbers that are there to misbehave."""

    def __init__(self, settle_after: float) -> None:
        self._settle_after = timedelta(seconds=settle_after)

    def banks(self) -> dict[str, str]:
        """Names of banks by their codes."""
        return BANKS

    def holder(self, account_number: str) -> str | None:
        """Whose account it is, or None where there is no such account."""
        if len(account_number) != 10 or not (account_number.isascii() and account_number.isdigit()):
            return None
        return HOLDERS[sha256(account_number.encode()).digest()[0] % len(HOLDERS)]

    def pay(self, reference: str, amount: int, currency: str, account_number: str) -> Answer:
        """Take an order. Raises BankTimeout, for one account number only after having taken it."""
        if account_number == REFUSED or self.holder(account_number) is None:
            return Answer("rejected", "The account can't receive payments.")
        now = timezone.now()
        settles = account_number not in (STUCK, WANTS_OTP)
        _, fresh = SandboxPayout.objects.get_or_create(
            reference=reference,
            defaults={
                "amount": amount,
                "currency": currency,
                "account_number": account_number,
                "accepted_at": now,
                "settles_at": now + self._settle_after if settles else None,
                "refused": "The beneficiary's bank returned it." if account_number == FAILS_LATER else "",
            },
        )
        if not fresh:
            return Answer("already_exists", "The reference was used before.")
        if settles:
            self._promise_notices(reference, account_number)
        if account_number == TIMES_OUT:
            raise BankTimeout("No answer within the time limit.")
        if account_number == WANTS_OTP:
            return Answer("action_required", "It waits for a one-time password.")
        return Answer("accepted")

    def look_up(self, reference: str) -> Payment | None:
        """What has become of an order, or None where the bank finds none by that reference."""
        now = timezone.now()
        found = SandboxPayout.objects.filter(pk=reference).first()
        if found is None or (found.account_number == FOUND_LATE and now < found.accepted_at + FOUND_AFTER):
            return None
        return Payment(status_of(found, now), amount_paid(found), found.currency, found.refused, fee_for(found.amount))

    def _promise_notices(self, reference: str, account_number: str) -> None:
        moments = [self._settle_after]
        if account_number == TOLD_TWICE:
            moments.append(self._settle_after)
        if account_number == SENT_BACK:
            moments.append(self._settle_after + SENT_BACK_AFTER)
        for moment in moments:
            notices.promise("payout", reference, after=moment.total_seconds())


def status_of(payout: SandboxPayout, now: datetime) -> str:
    """What the bank says of an order at a moment."""
    if payout.account_number == WANTS_OTP:
        return "waiting"
    if payout.settles_at is None or payout.settles_at > now:
        return "pending"
    if payout.account_number == SENT_BACK and payout.settles_at + SENT_BACK_AFTER <= now:
        return "reversed"
    return "failed" if payout.refused else "paid"


def since(payout: SandboxPayout, now: datetime) -> datetime:
    """Since when it has been what it is."""
    if payout.settles_at is None or payout.settles_at > now:
        return payout.accepted_at
    return payout.settles_at + (SENT_BACK_AFTER if status_of(payout, now) == "reversed" else timedelta())


def amount_paid(payout: SandboxPayout) -> int:
    """What the bank takes an order to be of, in minor units: for one account number, one less than was asked."""
    return payout.amount - (payout.account_number == PAYS_LESS)


def fee_for(amount: int) -> int:
    """What the bank takes for an amount, in minor units: on top of what is paid out, of what is paid in."""
    return HAS_FEE if amount % 100 == HAS_FEE and amount > HAS_FEE else 0
