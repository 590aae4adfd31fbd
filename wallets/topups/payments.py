"""A payment that a provider confirms, when asked: what it is, before anybody says whose."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger.requests import Leg, Posting
from wallets import chart, currencies, provider_fees
from wallets.providers.port import DepositState


class Inconclusive(Exception):
    """The provider's word isn't enough to move money; the text tells a person why."""


@dataclass(frozen=True, slots=True)
class Payment:
    """`amount` came in at a provider, gross and in minor units, and `fee` of it was kept there, in major ones.

    `id` is the provider's own name for it: what is posted under it is posted once. `fee_told` is the provider's word;
    one that can't be so isn't posted.
    """

    provider: str
    id: str
    reference: str
    amount: int
    currency: str
    fee: Decimal
    fee_told: str

    @classmethod
    def told(cls, provider: str, reference: str, state: DepositState) -> "Payment":
        """The payment that a provider confirmed. Raises Inconclusive where it doesn't say exactly what came."""
        id = state.provider_id or state.reference or reference
        if state.amount is None or state.currency is None or state.amount <= 0 or not id:
            raise Inconclusive("The provider confirms a payment, but doesn't say exactly what was paid.")
        if not currencies.exists(state.currency):
            raise Inconclusive(f"The provider names a currency that there isn't: {state.currency[:10]}.")
        fee = state.fee if provider_fees.is_believed(state.fee, state.currency, most=state.amount - 1) else Decimal(0)
        return cls(
            provider=provider, id=id[:100], reference=(state.reference or reference)[:100], amount=state.amount,
            currency=state.currency, fee=fee, fee_told="" if state.fee is None else str(state.fee),
        )  # fmt: skip

    def posting(self, credited: Leg, *, id: UUID, description: str) -> Posting:
        """What came in: net at the provider, its fee as our expense, gross to whoever is credited.

        To be posted by the caller's transaction, once: what of the fee is finer than a minor unit is carried on.
        """
        kept = provider_fees.to_post(self.provider, self.currency, self.fee)
        arrived = chart.clearing(self.provider, self.currency).debit(self.amount - kept)
        expense = (chart.provider_fees(self.currency).debit(kept),) if kept else ()
        told: dict[str, Any] = {"fee": self.fee_told} if self.fee_told else {}
        return Posting(
            "deposit", f"deposit:{self.provider}:{self.id}", (arrived, *expense, credited), id=id,
            description=description, external_reference=self.reference,
            metadata={"provider": self.provider, "payment": self.id} | told,
        )  # fmt: skip
