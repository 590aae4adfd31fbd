"""What Paystack's answers mean; pure. Its amounts are minor units."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from wallets.currencies import exponent
from wallets.providers import outcomes, reading
from wallets.providers.outcomes import Body, Refusal, Refused
from wallets.providers.port import (
    BalanceReading,
    Bank,
    DepositHandle,
    DepositState,
    PayoutState,
    ProviderUnavailable,
    RemoteStatus,
    ResolvedAccount,
    SubmitResult,
)
from wallets.providers.redaction import redacted
from wallets.providers.transport import Answer

NAME = "Paystack"
DIGITS = 2

PAYOUTS = {
    "pending": RemoteStatus.PENDING,
    "received": RemoteStatus.ACTION_REQUIRED,
    "otp": RemoteStatus.ACTION_REQUIRED,
    "success": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "abandoned": RemoteStatus.FAILED,
    "blocked": RemoteStatus.FAILED,
    "rejected": RemoteStatus.FAILED,
    "reversed": RemoteStatus.REVERSED,
}
DEPOSITS = {
    "success": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "reversed": RemoteStatus.REVERSED,
    # A checkout that nobody has paid at yet is called abandoned, and can still be paid at.
    "abandoned": RemoteStatus.PENDING,
    "ongoing": RemoteStatus.PENDING,
    "pending": RemoteStatus.PENDING,
    "processing": RemoteStatus.PENDING,
    "queued": RemoteStatus.PENDING,
}
REFUSALS = {
    "duplicate_transfer_reference": Refused.DUPLICATE,
    "rate_limited": Refused.BUSY,
    "insufficient_balance": Refused.FUNDS,
}


def classify_payout(answer: Answer, reference: str) -> SubmitResult:
    """What is known after an order was given."""
    return outcomes.submitted(answer, provider=NAME, refusal=_refusal, payout=lambda body: _payout(body, reference))


def classify_payout_query(answer: Answer, reference: str) -> PayoutState:
    """What has become of an order."""
    return outcomes.queried(
        answer, provider=NAME, state=PayoutState, missing=_missing, found=lambda body: _payout(body, reference)
    )


def classify_deposit_query(answer: Answer, reference: str, provider_id: str) -> DepositState:
    """What has become of a deposit; without a reference the one of that id."""
    return outcomes.queried(
        answer,
        provider=NAME,
        state=DepositState,
        missing=_missing,
        found=lambda body: _deposit(body, reference, provider_id),
    )


def read_banks(answer: Answer) -> tuple[Sequence[Bank], str]:
    """A page of banks, and the cursor of the next one, "" after the last. Raises ProviderUnavailable."""
    body = _read(answer)
    banks = [
        Bank(reading.text(row.get("code")), reading.text(row.get("name"))) for row in reading.rows(body.get("data"))
    ]
    return [bank for bank in banks if bank.code], reading.text(reading.inside(body, "meta", "next"), 500)


def read_account(answer: Answer) -> ResolvedAccount:
    """Whose account it is. Raises AccountNotResolved and ProviderUnavailable."""
    body = outcomes.resolved(answer, provider=NAME, agreed=_agreed, refusal=_refusal)
    name = reading.text(reading.inside(body, "data", "account_name"), 200)
    if not name:
        raise ProviderUnavailable(f"{NAME} named no holder of the account; try again later.")
    return ResolvedAccount(name, "")


def read_recipient(answer: Answer, account_number: str) -> str:
    """The recipient's code. Raises AccountNotResolved, and ProviderUnavailable also where it is of another account."""
    data = reading.members(outcomes.resolved(answer, provider=NAME, agreed=_agreed, refusal=_refusal), "data")
    code = reading.text(data.get("recipient_code"))
    if not code or reading.inside(data, "details", "account_number") not in (account_number, None):
        raise ProviderUnavailable(f"{NAME} gave no recipient for the account; try again later.")
    return code


def read_balances(answer: Answer, slug: str, currency: str, as_of: datetime) -> list[BalanceReading]:
    """What we hold in a currency; Paystack says neither of which account nor of when. Raises ProviderUnavailable."""
    rows = reading.rows(_read(answer).get("data"))
    found = [(row, reading.whole(row.get("balance"))) for row in rows if row.get("currency") == currency]
    return [
        BalanceReading(currency, _major(held), f"{slug}:{currency}", as_of, metadata=redacted(row))
        for row, held in found
        if held is not None
    ]


def read_checkout(answer: Answer) -> DepositHandle:
    """Where they pay. Raises ProviderUnavailable and CheckoutExists."""
    body = outcomes.opened(answer, provider=NAME, agreed=_agreed, refusal=_refusal)
    return DepositHandle(outcomes.link(body, "data", "authorization_url", provider=NAME))


def _read(answer: Answer) -> Body:
    return outcomes.read(answer, provider=NAME, agreed=_agreed)


def _agreed(body: Body) -> bool:
    return body.get("status") is True


def _refusal(body: Body) -> Refusal | None:
    if body.get("status") is not False:
        return None
    message, code = reading.words(body.get("message")), reading.text(body.get("code"))
    about = REFUSALS.get(code, outcomes.about(message))
    if about in (Refused.ORDER, Refused.FUNDS) and body.get("type") == "processor_error":
        # An error of the bank behind it may come after the order was taken.
        about = Refused.NOTHING
    return Refusal(about, message, code)


def _missing(status: int, body: Body) -> bool:
    said = f"{reading.text(body.get('code'))} {reading.words(body.get('message'))}".replace("_", " ").lower()
    return status in (400, 404) and body.get("status") is False and "not found" in said


def _payout(body: Body, reference: str) -> PayoutState:
    data = reading.members(body, "data")
    theirs = reading.text(data.get("reference"))
    if not _agreed(body) or not outcomes.is_asked_for(reference, theirs):
        return outcomes.beside(PayoutState, body, provider=NAME, theirs=theirs)
    status = reading.text(data.get("status"))
    known = reading.currency(data.get("currency"))
    remote, detail = PAYOUTS.get(status.lower(), RemoteStatus.UNKNOWN), _detail(status, data)
    return PayoutState(
        remote,
        amount=_minor(data.get("amount"), known),
        currency=known,
        provider_id=reading.text(data.get("transfer_code")) or reading.text(data.get("id")),
        detail=detail,
        underfunded=outcomes.failed_underfunded(remote, detail),
        fee=_fee(data.get("fee_charged")),
        raw=redacted(data),
    )


def _deposit(body: Body, reference: str, provider_id: str) -> DepositState:
    data = reading.members(body, "data")
    theirs, id = reading.text(data.get("reference")), reading.text(data.get("id"))
    asked = (reference, theirs) if reference else (provider_id, id)
    if not _agreed(body) or not outcomes.is_asked_for(*asked):
        return outcomes.beside(DepositState, body, provider=NAME, theirs=theirs)
    status = reading.text(data.get("status"))
    known = reading.currency(data.get("currency"))
    return DepositState(
        DEPOSITS.get(status.lower(), RemoteStatus.UNKNOWN),
        reference=theirs,
        amount=_minor(data.get("amount"), known),
        currency=known,
        provider_id=id,
        detail=_detail(status, data),
        fee=_fee(data.get("fees")),
        raw=redacted(data),
    )


def _detail(status: str, data: Body) -> str:
    why = reading.words(data.get("gateway_response")) or reading.words(data.get("failures"))
    return reading.told(NAME, status, why)


def _minor(value: Any, currency: str | None) -> int | None:
    return None if currency is None or exponent(currency) != DIGITS else reading.whole(value)


def _fee(value: Any) -> Decimal | None:
    taken = reading.whole(value)
    return None if taken is None else _major(taken)


def _major(minor: int) -> Decimal:
    return Decimal(minor).scaleb(-DIGITS)
