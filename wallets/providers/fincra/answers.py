"""What Fincra's answers mean; pure. Its amounts are major units, and its error types say more than the HTTP status."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

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

NAME = "Fincra"
MISSING = "RESOURCE_NOT_FOUND"

PAYOUTS = {
    "processing": RemoteStatus.PENDING,
    "successful": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "reversed": RemoteStatus.REVERSED,
}
DEPOSITS = {
    "success": RemoteStatus.SUCCEEDED,
    "successful": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "expired": RemoteStatus.FAILED,
    "pending": RemoteStatus.PENDING,
    "processing": RemoteStatus.PENDING,
    "initiated": RemoteStatus.PENDING,
}
# Fincra's own classification. A type that isn't here says nothing that money may be given back for.
REFUSALS = {
    "NO_ENOUGH_MONEY_IN_WALLET": Refused.FUNDS,
    "INVALID_QUOTE": Refused.ORDER,
    "QUOTE_NOT_GENERATED": Refused.ORDER,
    "UNPROCESSABLE_ENTITY": Refused.ORDER,
    "VALIDATION_FAILED": Refused.ORDER,
    "ACCOUNT_RESOLVE_FAILED": Refused.ORDER,
    "ACCESS_DENIED": Refused.US,
    "OPERATION_FORBIDDEN": Refused.US,
    "TOO_MANY_REQUESTS": Refused.BUSY,
    "DUPLICATE_CUSTOMER_REFERENCE": Refused.DUPLICATE,
}


def classify_payout(answer: Answer, reference: str) -> SubmitResult:
    """What is known after an order was given."""
    return outcomes.submitted(answer, provider=NAME, refusal=_refusal, payout=lambda body: _payout(body, reference))


def classify_payout_query(answer: Answer, reference: str) -> PayoutState:
    """What has become of an order. Fincra itself says of its "not found" that it proves nothing."""
    return outcomes.queried(
        answer, provider=NAME, state=PayoutState, missing=_missing, found=lambda body: _payout(body, reference)
    )


def classify_deposit_query(answer: Answer, reference: str, provider_id: str) -> DepositState:
    """What has become of a checkout, or without a reference of a collection."""

    def found(body: Body) -> DepositState:
        return _checkout(body, reference) if reference else _collection(body, provider_id)

    return outcomes.queried(answer, provider=NAME, state=DepositState, missing=_missing, found=found)


def read_banks(answer: Answer) -> Sequence[Bank]:
    """The banks. Raises ProviderUnavailable."""
    rows = reading.rows(_read(answer).get("data"))
    banks = [Bank(reading.text(row.get("code")), reading.text(row.get("name"))) for row in rows]
    return [bank for bank in banks if bank.code]


def read_account(answer: Answer) -> ResolvedAccount:
    """Whose account it is. Raises AccountNotResolved and ProviderUnavailable."""
    body = outcomes.resolved(answer, provider=NAME, agreed=_agreed, refusal=_refusal)
    name = reading.text(reading.inside(body, "data", "accountName"), 200)
    if not name:
        raise ProviderUnavailable(f"{NAME} named no holder of the account; try again later.")
    return ResolvedAccount(name, "")


def read_balances(answer: Answer, slug: str, currency: str, as_of: datetime) -> list[BalanceReading]:
    """What each of our wallets there holds in a currency. Raises ProviderUnavailable."""
    rows = reading.rows(_read(answer).get("data"))
    found = [(row, reading.number(row.get("availableBalance"))) for row in rows if row.get("currency") == currency]
    return [
        BalanceReading(
            currency,
            available,
            reading.text(row.get("_id")) or reading.text(row.get("id")) or f"{slug}:{currency}",
            as_of,
            ledger=reading.number(row.get("ledgerBalance")),
            locked=reading.number(row.get("lockedBalance")),
            metadata=redacted(row),
        )
        for row, available in found
        if available is not None
    ]


def read_checkout(answer: Answer) -> DepositHandle:
    """Where they pay. Raises ProviderUnavailable and CheckoutExists."""
    body = outcomes.opened(answer, provider=NAME, agreed=_agreed, refusal=_refusal)
    return DepositHandle(
        outcomes.link(body, "data", "link", provider=NAME), reading.text(reading.inside(body, "data", "payCode"))
    )


def _read(answer: Answer) -> Body:
    return outcomes.read(answer, provider=NAME, agreed=_agreed)


def _refusal(body: Body) -> Refusal | None:
    if body.get("success") is not False:
        return None
    message, code = reading.words(body.get("error")), reading.text(body.get("errorType"))
    if code == MISSING:
        about = Refused.ORDER if "quote" in message.lower() else Refused.NOTHING
    else:
        about = REFUSALS.get(code, Refused.DUPLICATE if outcomes.is_duplicate(message) else Refused.NOTHING)
    return Refusal(about, message, code)


def _missing(status: int, body: Body) -> bool:
    return body.get("success") is False and body.get("errorType") == MISSING


def _agreed(body: Body) -> bool:
    """Payouts say `success`, checkouts `status`."""
    return body.get("success") is True or body.get("status") is True


def _payout(body: Body, reference: str) -> PayoutState:
    data = reading.members(body, "data")
    theirs = reading.text(data.get("customerReference"))
    if not _agreed(body) or not outcomes.is_asked_for(reference, theirs):
        return outcomes.beside(PayoutState, body, provider=NAME, theirs=theirs)
    status = reading.text(data.get("status"))
    known = reading.currency(data.get("destinationCurrency"))
    remote, detail = PAYOUTS.get(status.lower(), RemoteStatus.UNKNOWN), _detail(status, data.get("reason"))
    return PayoutState(
        remote,
        amount=reading.minor(data.get("amountReceived"), known),
        currency=known,
        provider_id=reading.text(data.get("reference")) or reading.text(data.get("id")),
        detail=detail,
        underfunded=outcomes.failed_underfunded(remote, detail),
        fee=reading.number(data.get("fee")),
        raw=redacted(data),
    )


def _checkout(body: Body, reference: str) -> DepositState:
    """`amount` is what was asked for, whatever was paid; only `amountReceived` is what came."""
    data = reading.members(body, "data")
    ours = reading.text(data.get("merchantReference")) or reading.text(data.get("reference"))
    if not _agreed(body) or not outcomes.is_asked_for(reference, ours):
        return outcomes.beside(DepositState, body, provider=NAME, theirs=ours)
    came = data.get("amount") if _came_whole(data) else data.get("amountReceived")
    names = ("chargeReference", "payCode", "id")
    return _deposit(data, came, data.get("currency"), reference, names)


def _collection(body: Body, provider_id: str) -> DepositState:
    data = reading.members(body, "data")
    theirs = reading.text(data.get("reference"))
    if not _agreed(body) or not outcomes.is_asked_for(provider_id, theirs):
        return outcomes.beside(DepositState, body, provider=NAME, theirs=theirs)
    return _deposit(data, data.get("destinationAmount"), data.get("destinationCurrency"), "", ("reference",))


def _deposit(data: Body, came: Any, currency: Any, reference: str, names: Sequence[str]) -> DepositState:
    status, known = reading.text(data.get("status")), reading.currency(currency)
    ids = [id for name in names if (id := reading.text(data.get(name)))]
    return DepositState(
        DEPOSITS.get(status.lower(), RemoteStatus.UNKNOWN),
        reference=reference,
        amount=reading.minor(came, known),
        currency=known,
        provider_id=ids[0] if ids else "",
        detail=_detail(status, data.get("varianceType") or data.get("message")),
        fee=reading.number(data.get("fee")),
        raw=redacted(data),
    )


def _came_whole(data: Body) -> bool:
    """Cards pay exactly what was asked for, and then nothing is said of what came."""
    return data.get("amountReceived") is None and data.get("varianceType") is None


def _detail(status: str, reason: Any) -> str:
    why = reading.words(reason)
    return reading.told(NAME, status, why)
