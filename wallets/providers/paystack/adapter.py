"""Paystack behind the port: each call is one request of `wire`, sent once, and read by `answers`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from wallets.providers import references
from wallets.providers.outcomes import Unsendable, unsendable
from wallets.providers.paystack import answers, webhooks, wire
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
    ResolvedAccount,
    SubmitResult,
)
from wallets.providers.transport import Transport

PAYOUT_SECONDS = 30.0
MOST_PAGES = 20


class PaystackProvider(PaymentProvider):
    """`webhook_secrets` are secret keys of the API, the old one beside the new one while they are rotated."""

    capabilities = frozenset({Capability.UNIQUE_REFERENCE, Capability.BALANCES, Capability.CHECKOUT})
    # A transfer has been seen to become visible only after a while.
    grace = 600.0

    def __init__(
        self,
        *,
        slug: str,
        mode: Literal["test", "live"],
        base_url: str,
        secret_key: str,
        webhook_secrets: Sequence[str],
    ) -> None:
        self.slug, self.mode = slug, mode
        self._secrets = webhook_secrets
        self._api = Transport(base_url, {"Authorization": f"Bearer {secret_key}"})

    def list_banks(self, country: str, currency: str) -> Sequence[Bank]:
        banks: list[Bank] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            page, cursor = answers.read_banks(self._api.call(wire.build_banks(country, currency, cursor)))
            banks += page
            if not cursor:
                break
        return banks

    def resolve_account(self, bank_code: str, account_number: str) -> ResolvedAccount:
        return answers.read_account(self._api.call(wire.build_resolve(bank_code, account_number)))

    def ensure_recipient(self, bank_code: str, account_number: str, account_name: str, currency: str) -> str:
        try:
            call = wire.build_recipient(bank_code, account_number, account_name, currency)
        except Unsendable as error:
            raise AccountNotResolved(str(error)) from error
        return answers.read_recipient(self._api.call(call), account_number)

    def payout_reference(self, withdrawal_id: UUID, attempt: int) -> str:
        return references.payout_reference(withdrawal_id, attempt)

    def submit_payout(self, order: PayoutOrder) -> SubmitResult:
        try:
            call = wire.build_payout(order)
        except Unsendable as error:
            return unsendable(error)
        return answers.classify_payout(self._api.call(call, seconds=PAYOUT_SECONDS), order.reference)

    def query_payout(self, reference: str, provider_id: str) -> PayoutState:
        return answers.classify_payout_query(self._api.call(wire.build_payout_query(reference)), reference)

    def fetch_balances(self, currency: str) -> Sequence[BalanceReading]:
        answer = self._api.call(wire.build_balances())
        return answers.read_balances(answer, self.slug, currency, datetime.now(UTC))

    def start_deposit(self, intent: DepositIntent) -> DepositHandle:
        try:
            call = wire.build_checkout(intent)
        except Unsendable as error:
            raise NotSupported(str(error)) from error
        return answers.read_checkout(self._api.call(call))

    def query_deposit(self, reference: str, provider_id: str) -> DepositState:
        answer = self._api.call(wire.build_deposit_query(reference, provider_id))
        return answers.classify_deposit_query(answer, reference, provider_id)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        webhooks.verify(headers, body, self._secrets)

    def parse_webhook(self, body: bytes) -> Sequence[ProviderEvent]:
        return webhooks.parse(body)
