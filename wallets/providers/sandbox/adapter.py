"""The sandbox bank behind the port: an adapter like those of real providers, whose bank lives in this process."""

from collections.abc import Sequence
from uuid import UUID

from wallets.providers.port import (
    AccountNotResolved,
    Bank,
    Capability,
    PayoutOrder,
    PayoutState,
    RemoteStatus,
    ResolvedAccount,
    SubmitOutcome,
    SubmitResult,
)
from wallets.providers.references import payout_reference
from wallets.sandbox_bank import BankTimeout, SandboxBank

STATUSES = {"pending": RemoteStatus.PENDING, "paid": RemoteStatus.SUCCEEDED, "failed": RemoteStatus.FAILED}


class SandboxProvider:
    """`settle_after` is how many seconds the bank takes from accepting an order to paying it."""

    capabilities = frozenset({Capability.UNIQUE_REFERENCE})
    grace = 10.0

    def __init__(self, *, slug: str, settle_after: float) -> None:
        self.slug = slug
        self._bank = SandboxBank(settle_after)

    def list_banks(self, country: str, currency: str) -> Sequence[Bank]:
        return [Bank(code, name) for code, name in self._bank.banks().items()]

    def resolve_account(self, bank_code: str, account_number: str) -> ResolvedAccount:
        holder = self._bank.holder(account_number)
        if holder is None:
            raise AccountNotResolved("The sandbox bank's account numbers have ten digits.")
        return ResolvedAccount(holder, self._bank.banks().get(bank_code, "Sandbox Bank"))

    def ensure_recipient(self, bank_code: str, account_number: str, account_name: str, currency: str) -> str:
        return ""

    def payout_reference(self, withdrawal_id: UUID, attempt: int) -> str:
        return payout_reference(withdrawal_id, attempt)

    def submit_payout(self, order: PayoutOrder) -> SubmitResult:
        try:
            answer = self._bank.pay(order.reference, order.amount, order.currency, order.account_number)
        except BankTimeout as timeout:
            return SubmitResult(SubmitOutcome.UNKNOWN, detail=str(timeout))
        return SubmitResult(SubmitOutcome(answer.outcome), order.reference, answer.detail)

    def query_payout(self, reference: str, provider_id: str) -> PayoutState:
        found = self._bank.look_up(reference)
        if found is None:
            return PayoutState(RemoteStatus.NOT_FOUND)
        return PayoutState(STATUSES[found.status], found.amount, found.currency, reference, found.detail)
