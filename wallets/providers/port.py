"""What every provider of payments can be asked, in plain values: one adapter for each behind it, none of them known.

Amounts that we order are minor units of `currency`, and an adapter converts to what its provider speaks; what is only
read, a balance or a fee, is a Decimal in major units, exact as the provider said it. No Django in here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Literal, Protocol
from uuid import UUID


class ProviderUnavailable(Exception):
    """The provider doesn't answer a question that moves no money; ask again later."""

    code: ClassVar[str] = "provider_unavailable"
    title: ClassVar[str] = "The provider is unavailable"


class CheckoutExists(ProviderUnavailable):
    """The provider has a checkout by this reference, and doesn't tell where; only another reference opens one."""


class AccountNotResolved(Exception):
    """The provider knows no such bank account."""


class NotSupported(Exception):
    """The provider doesn't offer this."""


class InvalidSignature(Exception):
    """A webhook that the provider didn't sign: whoever sent it, nothing of it is believed or stored."""


class Capability(StrEnum):
    """What a provider can do beyond the common."""

    UNIQUE_REFERENCE = "refuses_a_reference_it_has_seen"
    BALANCES = "tells_balances"
    CHECKOUT = "takes_deposits"


class SubmitOutcome(StrEnum):
    """What is known after an order was given; only NOT_SENT and REJECTED are known not to have paid."""

    ACCEPTED = "accepted"
    ACTION_REQUIRED = "action_required"
    REJECTED = "rejected"
    ALREADY_EXISTS = "already_exists"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class RemoteStatus(StrEnum):
    """What the provider says has become of a payout or a deposit. NOT_FOUND is no proof that it never came."""

    PENDING = "pending"
    ACTION_REQUIRED = "action_required"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSED = "reversed"
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
    """Pay `amount` to an account. The reference is ours: the same order always carries the same one.

    `recipient` is what `ensure_recipient` gave for the account, "" for a provider that needs none.
    """

    reference: str
    amount: int
    currency: str
    bank_code: str
    account_number: str
    account_name: str
    narration: str
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What came back for an order, in a person's words as well.

    `code` is the provider's own word for a refusal, `retry_after` its wish in seconds, `misconfigured` that it refuses
    us and not the order, `underfunded` that we hold too little there for it, and `raw` what it said, without secrets
    and account numbers.
    """

    outcome: SubmitOutcome
    provider_id: str = ""
    detail: str = ""
    code: str = ""
    retry_after: float | None = None
    misconfigured: bool = False
    underfunded: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PayoutState:
    """What the provider says of an order when asked; `amount` in minor units where it says one that is exact in them.

    `fee` is what the provider took for itself, in major units; `underfunded` that it failed since we hold too little.
    """

    status: RemoteStatus
    amount: int | None = None
    currency: str | None = None
    provider_id: str = ""
    detail: str = ""
    fee: Decimal | None = None
    underfunded: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DepositIntent:
    """Somebody wants to pay `amount` in. The reference is ours; `return_url` is where the checkout sends them back."""

    reference: str
    amount: int
    currency: str
    email: str
    name: str
    return_url: str


@dataclass(frozen=True, slots=True)
class DepositHandle:
    """Where they pay."""

    checkout_url: str
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class DepositState:
    """What the provider says of a deposit when asked. `amount` is what was paid in, gross, in minor units.

    `fee` is what the provider keeps of it, in major units.
    """

    status: RemoteStatus
    reference: str = ""
    amount: int | None = None
    currency: str | None = None
    provider_id: str = ""
    detail: str = ""
    fee: Decimal | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BalanceReading:
    """What one account at the provider held when it was read, in major units.

    `ledger` is all of it, `locked` what its pending payouts hold, each None where the provider doesn't say.
    """

    currency: str
    available: Decimal
    external_account_id: str
    as_of: datetime
    ledger: Decimal | None = None
    locked: Decimal | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


EventKind = Literal["payout", "deposit", "other"]


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A provider's word that something happened: a hint about what to ask it, never a reason to move money.

    `reference` is ours where it names one of ours. Two deliveries of one event have one `dedupe_key`.
    """

    dedupe_key: str
    kind: EventKind
    reference: str = ""
    provider_id: str = ""
    hinted_status: str = ""
    occurred_at: datetime | None = None


class PaymentProvider(Protocol):
    """A provider. Submitting and querying never raise for trouble at the other end: they answer what is known."""

    slug: str
    mode: Literal["test", "live"]
    capabilities: frozenset[Capability]
    # Seconds after which "not found" may be believed, where references are unique.
    grace: float

    def list_banks(self, country: str, currency: str) -> Sequence[Bank]:
        """The banks of a country. Raises ProviderUnavailable."""
        ...

    def resolve_account(self, bank_code: str, account_number: str) -> ResolvedAccount:
        """The account's holder. Raises AccountNotResolved and ProviderUnavailable."""
        ...

    def ensure_recipient(self, bank_code: str, account_number: str, account_name: str, currency: str) -> str:
        """The provider's own name for who is to be paid, "" where it needs none; safe to ask for again.

        Raises AccountNotResolved and ProviderUnavailable.
        """
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

    def fetch_balances(self, currency: str) -> Sequence[BalanceReading]:
        """What we hold there in a currency, one reading for each account. Raises ProviderUnavailable."""
        ...

    def start_deposit(self, intent: DepositIntent) -> DepositHandle:
        """Open a checkout; the same reference again gives the same one or an error.

        Raises NotSupported, also for an amount that can't be said exactly there, ProviderUnavailable, and
        CheckoutExists for a reference that was used and whose checkout isn't told again.
        """
        ...

    def query_deposit(self, reference: str, provider_id: str) -> DepositState:
        """Ask what has become of a deposit, by our reference or by the provider's id; never raises."""
        ...

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise InvalidSignature unless the raw bytes are the provider's. Header names are in lower case."""
        ...

    def parse_webhook(self, body: bytes) -> Sequence[ProviderEvent]:
        """What a verified body says happened. Raises ValueError for one that can't be read."""
        ...
