"""The sandbox bank behind the port: an adapter like those of real providers, whose bank lives in this process."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from wallets.currencies import exponent
from wallets.providers.port import (
    AccountNotResolved,
    BalanceReading,
    Bank,
    Capability,
    DepositHandle,
    DepositIntent,
    DepositState,
    NotSupported,
    PaymentProvider,
    PayoutOrder,
    PayoutState,
    ProviderEvent,
    ProviderUnavailable,
    RemoteStatus,
    ResolvedAccount,
    SubmitOutcome,
    SubmitResult,
)
from wallets.providers.references import payout_reference
from wallets.providers.sandbox import webhooks
from wallets.sandbox_bank import BankTimeout, SandboxBank, books, checkouts

PAYOUTS = {
    "pending": RemoteStatus.PENDING,
    "waiting": RemoteStatus.ACTION_REQUIRED,
    "paid": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "reversed": RemoteStatus.REVERSED,
}
DEPOSITS = {
    "open": RemoteStatus.PENDING,
    "stuck": RemoteStatus.PENDING,
    "paid": RemoteStatus.SUCCEEDED,
    "refused": RemoteStatus.FAILED,
}


class SandboxProvider(PaymentProvider):
    """`settle_after` is how many seconds the bank takes from accepting an order to paying it, `public_url` where its
    checkout pages are, and `checkout` whether it has any; the first of the `webhook_secrets` signs, each verifies.
    """

    mode: Literal["test", "live"] = "test"
    grace = 10.0

    def __init__(
        self, *, slug: str, settle_after: float, webhook_secrets: Sequence[str] = (), public_url: str = "",
        checkout: bool = True,
    ) -> None:  # fmt: skip
        self.slug = slug
        takes_deposits = {Capability.CHECKOUT} if checkout else set()
        self.capabilities = frozenset({Capability.UNIQUE_REFERENCE, Capability.BALANCES} | takes_deposits)
        self._bank = SandboxBank(settle_after)
        self._secrets = tuple(webhook_secrets)
        self._public_url = public_url.rstrip("/")

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
        status, fee = PAYOUTS[found.status], _major(found.fee, found.currency)
        return PayoutState(status, found.amount, found.currency, reference, found.detail, fee)

    def fetch_balances(self, currency: str) -> Sequence[BalanceReading]:
        now = datetime.now(UTC)
        held = books.holding(currency, now=now)
        total, locked = _major(held.total, currency), _major(held.locked, currency)
        return [BalanceReading(currency, total - locked, f"{self.slug}:{currency}", now, ledger=total, locked=locked)]

    def start_deposit(self, intent: DepositIntent) -> DepositHandle:
        if Capability.CHECKOUT not in self.capabilities:
            raise NotSupported("The sandbox bank takes no deposits here; SANDBOX_CHECKOUT would let it.")
        terms = checkouts.Terms(intent.amount, intent.currency, intent.name or intent.email, intent.return_url)
        try:
            checkout = checkouts.open_checkout(intent.reference, terms, now=datetime.now(UTC))
        except BankTimeout as timeout:
            raise ProviderUnavailable(str(timeout)) from timeout
        return DepositHandle(f"{self._public_url}/sandbox/checkout/{intent.reference}", checkout.number)

    def query_deposit(self, reference: str, provider_id: str) -> DepositState:
        found = checkouts.find(reference, provider_id)
        if found is None:
            return DepositState(RemoteStatus.NOT_FOUND, reference)
        status, fee = DEPOSITS[found.status], _major(found.fee, found.currency)
        return DepositState(status, found.reference, found.paid, found.currency, found.number, fee=fee)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        webhooks.verify(self._secrets, headers, body, at=time.time())

    def parse_webhook(self, body: bytes) -> Sequence[ProviderEvent]:
        return webhooks.parse(body)


def _major(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-exponent(currency))
