"""What goes over the wire: the bodies that come in, refused where they have anything more, and those that go out."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from django.conf import settings
from msgspec import Meta, Struct

from ledger.balances import Standing
from users.api.wire import Amount, Metadata, Text, spelt
from wallets import currencies
from wallets.deposits import Deposited
from wallets.history import Item
from wallets.models import BankAccount, TopUp, Transfer, Wallet, Withdrawal
from wallets.queued.accept import Queued
from wallets.transfers import Transferred
from wallets.withdrawals import failures

Line = Annotated[str, Meta(max_length=255)]
Currency = Annotated[str, spelt("[A-Z]{3}", description="ISO 4217.", examples=["USD"])]
Role = Literal["owner", "spender", "viewer"]
Status = Literal["queued", "completed", "failed"]
Failure = Annotated[dict[str, Any], Meta(
    description="A problem document (RFC 9457), with members of its own by its code.",
    extra_json_schema={
        "required": ["type", "title", "code", "detail"],
        "properties": {name: {"type": "string"} for name in ("type", "title", "code", "detail")},
    },
)]  # fmt: skip
Kind = Literal["deposit", "withdrawal", "transfer", "fee", "usage", "adjustment", "reversal"]


class In(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A body, of which nothing unknown is taken."""


class WalletIn(In, frozen=True):
    """A wallet to be opened."""

    currency: Currency
    name: Text = ""
    owner: Text | None = None
    metadata: Metadata = {}


class WalletChange(In, frozen=True):
    """What may change about a wallet."""

    name: Text | None = None
    metadata: Metadata | None = None


class MemberIn(In, frozen=True):
    """A person to be let in, by id or email."""

    user: Text
    role: Role


class DepositIn(In, frozen=True):
    """Money to be credited, and from when on it may be spent."""

    amount: Amount
    release_at: Annotated[datetime, Meta(tz=True)] | None = None
    reference: Line = ""
    description: Line = ""
    metadata: Metadata = {}


class TransferIn(In, frozen=True):
    """Money to be moved, to a wallet or to a user's default one."""

    source: UUID
    amount: Amount
    destination: UUID | None = None
    destination_user: Annotated[str, Meta(min_length=1, max_length=254)] | None = None
    description: Line = ""
    reference: Line = ""
    metadata: Metadata = {}


class BatchIn(In, frozen=True):
    """Up to 10,000 transfers."""

    transfers: Annotated[list[TransferIn], Meta(min_length=1, max_length=10_000)]
    atomic: bool = False


class BankAccountIn(In, frozen=True):
    """A bank account to be paid to."""

    bank_code: Annotated[str, Meta(min_length=1, max_length=32)]
    account_number: Annotated[str, spelt("[0-9A-Za-z]+", min_length=4, max_length=34)]
    currency: Currency
    provider: Text | None = None


class WithdrawalIn(In, frozen=True):
    """Money to be paid out."""

    amount: Amount
    bank_account: UUID
    description: Line = ""


class TopUpIn(In, frozen=True):
    """Money to be paid in at a provider, the default one where none is named."""

    amount: Amount
    provider: Text | None = None


class Nothing(In, frozen=True):
    """A body with nothing in it but perhaps its key."""


class OwnerOut(Struct):
    """A wallet's owner."""

    id: UUID
    email: str


class WalletOut(Struct):
    """A wallet; `role` is the caller's, null for a service."""

    id: UUID
    name: str
    currency: str
    exponent: int
    status: str
    owner: OwnerOut | None
    role: str | None
    metadata: dict[str, Any]
    created_at: datetime


class MemberOut(Struct):
    """A member of a wallet."""

    user_id: UUID
    email: str
    full_name: str
    role: str
    created_at: datetime


class BalanceOut(Struct):
    """available = balance − pending − held, in minor units."""

    wallet: UUID
    currency: str
    exponent: int
    balance: int
    held: int
    pending: int
    available: int
    version: int
    as_of: datetime


class RelatedOut(Struct):
    """What a transaction is about."""

    kind: str
    id: str


class TransactionOut(Struct):
    """One line of a wallet's history."""

    id: UUID
    sequence: int
    type: str
    direction: Literal["credit", "debit"]
    amount: int
    balance_after: int
    counterparty: UUID | None
    description: str
    reference: str
    related: RelatedOut | None
    metadata: dict[str, Any]
    created_at: datetime
    effective_at: datetime


class DepositOut(Struct):
    """A deposit that was made."""

    id: UUID
    wallet: UUID
    amount: int
    currency: str
    status: str
    release_at: datetime
    transaction: UUID | None
    reference: str
    description: str
    metadata: dict[str, Any]
    created_at: datetime
    balance: BalanceOut


class TransferOut(Struct, omit_defaults=True):
    """A transfer. `balance` is the source's, where it was made at once; `failure` tells why a queued one failed."""

    id: UUID
    status: Status
    source: UUID
    destination: UUID
    amount: int
    currency: str
    transaction: UUID | None
    description: str
    reference: str
    metadata: dict[str, Any]
    created_at: datetime
    balance: BalanceOut | None = None
    failure: Failure | None = None


class BatchItemOut(Struct, omit_defaults=True):
    """What became of one item: its transfer's id, or why not."""

    index: int
    status: Literal["completed", "failed"]
    id: UUID | None = None
    code: str | None = None
    detail: str | None = None


class BatchOut(Struct):
    """What became of a batch, in its order."""

    results: list[BatchItemOut]
    completed: int
    failed: int


class BankAccountOut(Struct):
    """A bank account, its number but for four digits."""

    id: UUID
    provider: str
    bank_code: str
    bank_name: str
    account_name: str
    last4: str
    currency: str
    created_at: datetime


class BankOut(Struct):
    """A bank that can be paid to."""

    code: str
    name: str


class FailureOut(Struct):
    """Why money didn't go out."""

    code: str
    detail: str


class WithdrawalOut(Struct):
    """A withdrawal, and how far it is."""

    id: UUID
    status: str
    wallet: UUID
    amount: int
    fee: int
    currency: str
    bank_account: BankAccountOut
    description: str
    failure: FailureOut | None
    transaction: UUID | None
    created_at: datetime
    updated_at: datetime


class TopUpOut(Struct):
    """A top-up; `checkout_url` is where it is paid."""

    id: UUID
    status: str
    provider: str
    reference: str
    checkout_url: str
    wallet: UUID
    amount: int
    currency: str
    failure: FailureOut | None
    transaction: UUID | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


def wallet_out(wallet: Wallet, role: str | None) -> WalletOut:
    owner = OwnerOut(wallet.owner.pk, wallet.owner.email) if wallet.owner else None
    return WalletOut(
        wallet.id, wallet.name, wallet.currency, currencies.exponent(wallet.currency), wallet.status, owner, role,
        wallet.metadata, _utc(wallet.created_at),
    )  # fmt: skip


def balance_out(wallet_id: UUID, standing: Standing, as_of: datetime) -> BalanceOut:
    return BalanceOut(
        wallet_id, standing.currency, currencies.exponent(standing.currency), standing.balance, standing.held,
        standing.pending, standing.available, standing.version, _utc(as_of),
    )  # fmt: skip


def transaction_out(item: Item) -> TransactionOut:
    return TransactionOut(
        item.id, item.sequence, item.type, item.direction, item.amount, item.balance_after, item.counterparty,  # type: ignore[arg-type]
        item.description, item.reference, RelatedOut(*item.related) if item.related else None, dict(item.metadata),
        _utc(item.created_at), _utc(item.effective_at),
    )  # fmt: skip


def deposit_out(made: Deposited, as_of: datetime) -> DepositOut:
    deposit = made.deposit
    return DepositOut(
        deposit.id, deposit.wallet_id, deposit.amount, deposit.currency, deposit.status, _utc(deposit.release_at),
        deposit.transaction_id, deposit.reference, deposit.description, deposit.metadata, _utc(deposit.created_at),
        balance_out(deposit.wallet_id, made.standing, as_of),
    )  # fmt: skip


def transferred_out(made: Transferred, as_of: datetime) -> TransferOut:
    order = made.order
    return TransferOut(
        order.id, "completed", order.source, made.destination, order.amount, made.currency, made.transaction,
        order.description, order.reference, dict(order.metadata), _utc(as_of),
        balance_out(order.source, made.standing, as_of),
    )  # fmt: skip


def queued_out(queued: Queued) -> TransferOut:
    order = queued.order
    return TransferOut(
        order.id, "queued", order.source, queued.destination, order.amount, queued.currency, None, order.description,
        order.reference, dict(order.metadata), _utc(queued.now),
    )  # fmt: skip


def transfer_out(transfer: Transfer) -> TransferOut:
    return TransferOut(
        transfer.id, _status(transfer), transfer.source_id, transfer.destination_id, transfer.amount, transfer.currency,
        transfer.transaction_id, transfer.description, transfer.reference, transfer.metadata, _utc(transfer.created_at),
        failure=transfer.failure and {"type": settings.PROBLEM_BASE + transfer.failure["code"], **transfer.failure},
    )  # fmt: skip


def _status(transfer: Transfer) -> Status:
    """As the client knows it: one that was set aside still waits, for a person now."""
    return "queued" if transfer.status == Transfer.Status.SET_ASIDE else cast(Status, transfer.status)


def bank_account_out(account: BankAccount) -> BankAccountOut:
    return BankAccountOut(
        account.id, account.provider, account.bank_code, account.bank_name, account.account_name, account.last4,
        account.currency, _utc(account.created_at),
    )  # fmt: skip


def withdrawal_out(withdrawal: Withdrawal) -> WithdrawalOut:
    gone_wrong = withdrawal.status in (
        Withdrawal.Status.FAILED, Withdrawal.Status.CANCELLED, Withdrawal.Status.RETURNED,
    )  # fmt: skip
    failure = FailureOut(withdrawal.failure_code, failures.sentence(withdrawal.failure_code)) if gone_wrong else None
    return WithdrawalOut(
        withdrawal.id, withdrawal.status, withdrawal.wallet_id, withdrawal.amount, withdrawal.fee, withdrawal.currency,
        bank_account_out(withdrawal.bank_account), withdrawal.description, failure, withdrawal.transaction_id,
        _utc(withdrawal.created_at), _utc(withdrawal.updated_at),
    )  # fmt: skip


def top_up_out(top_up: TopUp) -> TopUpOut:
    failure = FailureOut(top_up.failure_code, top_up.failure_detail) if top_up.failure_code else None
    return TopUpOut(
        top_up.id, top_up.status, top_up.provider, top_up.reference, top_up.checkout_url, top_up.wallet_id,
        top_up.amount, top_up.currency, failure, top_up.transaction_id, _utc(top_up.created_at),
        _utc(top_up.updated_at), _utc(top_up.expires_at),
    )  # fmt: skip


def _utc(moment: datetime) -> datetime:
    """The same moment in UTC, whatever zone the connection gave it."""
    return moment.astimezone(UTC)
