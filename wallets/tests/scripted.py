"""A provider whose answers a test writes down beforehand. What it isn't told, it answers as a good bank does."""

from collections import deque
from collections.abc import Callable
from typing import Any
from uuid import UUID

from wallets.providers.port import (
    Capability,
    PayoutOrder,
    PayoutState,
    RemoteStatus,
    ResolvedAccount,
    SubmitOutcome,
    SubmitResult,
)
from wallets.providers.references import payout_reference

UNKNOWN = SubmitResult(SubmitOutcome.UNKNOWN, detail="no answer")
NOT_FOUND = PayoutState(RemoteStatus.NOT_FOUND)
SILENCE = PayoutState(RemoteStatus.UNKNOWN, detail="HTTP 503")


def said(status: str, amount: int | None = 400, currency: str = "NGN", **more: Any) -> PayoutState:
    """The bank's word about an order of 400."""
    return PayoutState(RemoteStatus(status), amount, currency, **more)


def answer(outcome: str, **more: Any) -> SubmitResult:
    """The bank's answer to an order."""
    return SubmitResult(SubmitOutcome(outcome), **more)


class ScriptedBank:
    """`answers` to orders and `states` for questions are used up one by one; the last state stays."""

    mode = "test"

    def __init__(self, *, slug: str, grace: float = 600.0, unique: bool = True) -> None:
        self.slug, self.grace = slug, grace
        self.capabilities = frozenset({Capability.UNIQUE_REFERENCE} if unique else ())
        self.answers: deque[SubmitResult | Callable[[], SubmitResult]] = deque()
        self.states: deque[PayoutState] = deque()
        self.recipients: deque[str | Exception] = deque()
        self.orders: list[PayoutOrder] = []
        self.asked: list[str] = []

    def list_banks(self, country: str, currency: str) -> list[Any]:
        return []

    def resolve_account(self, bank_code: str, account_number: str) -> ResolvedAccount:
        return ResolvedAccount("Amina Bello", "A Bank")

    def ensure_recipient(self, bank_code: str, account_number: str, account_name: str, currency: str) -> str:
        found = self.recipients.popleft() if self.recipients else ""
        if isinstance(found, Exception):
            raise found
        return found

    def payout_reference(self, withdrawal_id: UUID, attempt: int) -> str:
        return payout_reference(withdrawal_id, attempt)

    def submit_payout(self, order: PayoutOrder) -> SubmitResult:
        self.orders.append(order)
        given = self.answers.popleft() if self.answers else answer("accepted", provider_id="p-1")
        return given if isinstance(given, SubmitResult) else given()

    def query_payout(self, reference: str, provider_id: str) -> PayoutState:
        self.asked.append(reference)
        if not self.states:
            return said("succeeded", self.orders[-1].amount if self.orders else None)
        return self.states.popleft() if len(self.states) > 1 else self.states[0]


__all__ = ["NOT_FOUND", "SILENCE", "UNKNOWN", "ScriptedBank", "answer", "said"]
