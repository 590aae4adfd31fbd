"""The sandbox bank itself: another company, as far as our books know. What it has accepted is in a table of its own.

What happens is chosen by the account number, so it is the same every time; docs/sandbox.md lists the numbers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.utils import timezone

from wallets.models import SandboxPayout

REFUSED = "0000000001"
TIMES_OUT = "0000000002"
STUCK = "0000000004"
FAILS_LATER = "0000000005"

BANKS = {"044": "Access Bank", "058": "Guaranty Trust Bank", "057": "Zenith Bank", "999": "Sandbox Bank"}
HOLDERS = ("Amina Bello", "Chidi Okafor", "Zoë Adeyemi", "Kwame Mensah", "Njeri Kamau", "Thandi Dlamini")


class BankTimeout(Exception):
    """The bank didn't answer in time. It may have the order all the same."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bank's answer to an order: accepted, rejected, or already_exists for a reference that it has seen."""

    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """An order as the bank has it: pending, paid or failed."""

    status: str
    amount: int
    currency: str
    detail: str


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
        _, fresh = SandboxPayout.objects.get_or_create(
            reference=reference,
            defaults={
                "amount": amount,
                "currency": currency,
                "account_number": account_number,
                "accepted_at": now,
                "settles_at": None if account_number == STUCK else now + self._settle_after,
                "refused": "The beneficiary's bank returned it." if account_number == FAILS_LATER else "",
            },
        )
        if not fresh:
            return Answer("already_exists", "The reference was used before.")
        if account_number == TIMES_OUT:
            raise BankTimeout("No answer within the time limit.")
        return Answer("accepted")

    def look_up(self, reference: str) -> Payment | None:
        """What has become of an order, or None where the bank has none by that reference."""
        found = SandboxPayout.objects.filter(pk=reference).first()
        return (
            None
            if found is None
            else Payment(_status(found, timezone.now()), found.amount, found.currency, found.refused)
        )


def _status(payout: SandboxPayout, now: datetime) -> str:
    if payout.settles_at is None or payout.settles_at > now:
        return "pending"
    return "failed" if payout.refused else "paid"
