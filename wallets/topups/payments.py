"""A payment that a provider confirms, when asked: what it is, before anybody says whose."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ledger.requests import Leg
from wallets import chart, currencies
from wallets.providers.port import DepositState


class Inconclusive(Exception):
    """The provider's word isn't enough to move money; the text tells a person why."""


@dataclass(frozen=True, slots=True)
class Payment:
    """`amount` came in at a provider, gross, and `fee` of it was kept there, both in minor units.

    `id` is the provider's own name for it: what is posted under it is posted once. `fee_told` is the provider's word,
    which may be finer than a minor unit; then nothing of it is posted.
    """

    provider: str
    id: str
    reference: str
    amount: int
    currency: str
    fee: int
    fee_told: str

    @classmethod
    def told(cls, provider: str, reference: str, state: DepositState) -> "Payment":
        """The payment that a provider confirmed. Raises Inconclusive where it doesn't say exactly what came."""
        id = state.provider_id or state.reference or reference
        if state.amount is None or state.currency is None or state.amount <= 0 or not id:
            raise Inconclusive("The provider confirms a payment, but doesn't say exactly what was paid.")
        if not currencies.exists(state.currency):
            raise Inconclusive(f"The provider names a currency that there isn't: {state.currency[:10]}.")
        fee = _exact_fee(state.fee, state.currency)
        return cls(
            provider=provider, id=id[:100], reference=(state.reference or reference)[:100], amount=state.amount,
            currency=state.currency, fee=fee if 0 < fee < state.amount else 0,
            fee_told="" if state.fee is None else str(state.fee),
        )  # fmt: skip

    @property
    def posting_reference(self) -> str:
        """The name of its one transaction in the books, whoever gets the money."""
        return f"deposit:{self.provider}:{self.id}"

    @property
    def metadata(self) -> dict[str, Any]:
        """What a reader of the transaction may want to know."""
        return {"provider": self.provider, "payment": self.id} | ({"fee": self.fee_told} if self.fee_told else {})

    def legs(self, credited: Leg) -> tuple[Leg, ...]:
        """What came in: net at the provider, its fee as our expense, gross to whoever is credited."""
        arrived = chart.clearing(self.provider, self.currency).debit(self.amount - self.fee)
        kept = (chart.provider_fees(self.currency).debit(self.fee),) if self.fee else ()
        return (arrived, *kept, credited)


def _exact_fee(fee: Decimal | None, currency: str) -> int:
    """A fee in minor units, 0 where it isn't a whole number of them."""
    if fee is None or not fee.is_finite():
        return 0
    minor = fee.scaleb(currencies.exponent(currency))
    return int(minor) if minor == minor.to_integral_value() else 0
