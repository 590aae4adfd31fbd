"""What every provider of payments can be asked, in plain values: one adapter for each behind it, none of them known.

Amounts are minor units of `currency`; an adapter converts to what its provider speaks. No Django in here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID


class ProviderUnavailable(Exception):
    """The provider doesn't answer a question that moves no money; ask again later."""

    code: ClassVar[str] = "provider_unavailable"
    title: ClassVar[str] = "The provider is unavailable"


class AccountNotResolved(Exception):
    """The provider knows no such bank account."""


class Capability(StrEnum):
    """What a provider can do beyond the common."""

    UNIQUE_REFERENCE = "refuses_a_reference_it_has_seen"


class SubmitOutcome(StrEnum):
    """What is known after an order was given; only NOT_SENT and REJECTED are known not to have paid."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ALREADY_EXISTS = "already_exists"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class RemoteStatus(StrEnum):
    """What the provider says has become of an order. NOT_FOUND is no proof that it never came."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank that can be paid to. Its code is text: leading zeros and letters occur."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ResolvedAccount:
    """A bank account as the provider knows it."""

    account_name: str
    bank_name: str


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """Pay `amount` to an account. The reference is ours: the same order always carries the same one."""

    reference: str
    amount: int
    currency: str
    bank_code: str
    account_number: str
    account_name: str
    narration: str


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What came back for an order, in a person's words as well."""

    outcome: SubmitOutcome
    provider_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PayoutState:
    """What the provider says of an order when asked; `amount` in minor units where it says one."""

    status: RemoteStatus
    amount: int | None = None
    currency: str | None = None
    provider_id: str = ""
    detail: str = ""


class PaymentProvider(Protocol):
    """A provider. Submitting and querying never raise for trouble at the other end: they answer what is known."""

    slug: str
    capabilities: frozenset[Capability]
    # Seconds after which "not found" may be believed, where references are unique.
    grace: float

    def list_banks(self, country: str, currency: str) -> Sequence[Bank]:
        """The banks of a country. Raises ProviderUnavailable."""
        ...

    def resolve_account(self, bank_code: str, account_number: str) -> ResolvedAccount:
        """The account's holder. Raises AccountNotResolved and ProviderUnavailable."""
        ...

    def payout_reference(self, withdrawal_id: UUID, attempt: int) -> str:
        """The reference of an attempt: made from the two alone, never at the time of sending."""
        ...

    def submit_payout(self, order: PayoutOrder) -> SubmitResult:
        """Give the order, once; no retry inside."""
        ...

    def query_payout(self, reference: str, provider_id: str) -> PayoutState:
        """Ask what has become of an order."""
        ...
