"""Fincra behind the port: each call is one request of `wire`, sent once, and read by `answers`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from wallets.providers import references
from wallets.providers.fincra import answers, webhooks, wire
from wallets.providers.outcomes import Unsendable, unsendable
from wallets.providers.port import (
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

PAYOUT_SECONDS = 60.0


class FincraProvider(PaymentProvider):
    """`webhook_secrets` are keys of the webhooks alone, the old one beside the new one while they are rotated."""

    capabilities = frozenset({Capability.UNIQUE_REFERENCE, Capability.BALANCES, Capability.CHECKOUT})
    # Its "not found" is ambiguous in its own words: an hour is our choice.
    grace = 3600.0

    def __init__(
        self,
        *,
        slug: str,
        mode: Literal["test", "live"],
        base_url: str,
        secret_key: str,
        public_key: str,
        business_id: str,
        webhook_secrets: Sequence[str],
    ) -> None:
        self.slug, self.mode = slug, mode
        self._secrets = webhook_secrets
        self._business_id = business_id
        self._checkout_headers = {"x-pub-key": public_key, "x-business-id": business_id}
        self._api = Transport(base_url, {"api-key": secret_key})

    def list_banks(self, country: str, currency: str) -> Sequence[Bank]:
        return answers.read_banks(self._api.call(wire.build_banks(country, currency)))

    def resolve_account(self, bank_code: str, account_number: str) -> ResolvedAccount:
        return answers.read_account(self._api.call(wire.build_resolve(bank_code, account_number)))

    def ensure_recipient(self, bank_code: str, account_number: str, account_name: str, currency: str) -> str:
        return ""

    def payout_reference(self, withdrawal_id: UUID, attempt: int) -> str:
        return references.payout_reference(withdrawal_id, attempt)

    def submit_payout(self, order: PayoutOrder) -> SubmitResult:
        try:
            call = wire.build_payout(order, self._business_id)
        except Unsendable as error:
            return unsendable(error)
        return answers.classify_payout(self._api.call(call, seconds=PAYOUT_SECONDS), order.reference)

    def query_payout(self, reference: str, provider_id: str) -> PayoutState:
        return answers.classify_payout_query(self._api.call(wire.build_payout_query(reference)), reference)

    def fetch_balances(self, currency: str) -> Sequence[BalanceReading]:
        answer = self._api.call(wire.build_balances(currency, self._business_id))
        return answers.read_balances(answer, self.slug, currency, datetime.now(UTC))

    def start_deposit(self, intent: DepositIntent) -> DepositHandle:
        try:
            call = wire.build_checkout(intent, self._checkout_headers)
        except Unsendable as error:
            raise NotSupported(str(error)) from error
        return answers.read_checkout(self._api.call(call))

    def query_deposit(self, reference: str, provider_id: str) -> DepositState:
        answer = self._api.call(wire.build_deposit_query(reference, provider_id, self._business_id))
        return answers.classify_deposit_query(answer, reference, provider_id)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        webhooks.verify(headers, body, self._secrets)

    def parse_webhook(self, body: bytes) -> Sequence[ProviderEvent]:
        return webhooks.parse(body)
