"""What Flutterwave's answers mean; pure. Its amounts are major units."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from wallets.providers import outcomes, reading
from wallets.providers.outcomes import Body, Refusal
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

NAME = "Flutterwave"

PAYOUTS = {
    "NEW": RemoteStatus.PENDING,
    "PENDING": RemoteStatus.PENDING,
    "SUCCESSFUL": RemoteStatus.SUCCEEDED,
    "FAILED": RemoteStatus.FAILED,
}
DEPOSITS = {
    "successful": RemoteStatus.SUCCEEDED,
    "failed": RemoteStatus.FAILED,
    "pending": RemoteStatus.PENDING,
}


def classify_payout(answer: Answer, reference: str) -> SubmitResult:
    """What is known after an order was given."""
    return outcomes.submitted(answer, provider=NAME, refusal=_refusal, payout=lambda body: _submitted(body, reference))


def classify_payout_query(answer: Answer, reference: str) -> PayoutState:
    """What has become of an order, where exactly one has exactly this reference."""
    return outcomes.queried(
        answer, provider=NAME, state=PayoutState, missing=_no_transfer, found=lambda body: _listed(body, reference)
    )


def classify_deposit_query(answer: Answer, reference: str, provider_id: str) -> DepositState:
    """What has become of a deposit; without a reference the one of that id."""
    return outcomes.queried(
        answer,
        provider=NAME,
        state=DepositState,
        missing=_no_transaction,
        found=lambda body: _deposit(body, reference, provider_id),
    )


def read_banks(answer: Answer) -> Sequence[Bank]:
    """The banks. Raises ProviderUnavailable."""
    rows = reading.rows(_read(answer).get("data"))
    banks = [Bank(reading.text(row.get("code")), reading.text(row.get("name"))) for row in rows]
    return [bank for bank in banks if bank.code]


def read_account(answer: Answer) -> ResolvedAccount:
    """Whose account it is. Raises AccountNotResolved and ProviderUnavailable."""
    body = outcomes.resolved(answer, provider=NAME, agreed=_agreed, refusal=_refusal)
    name = reading.text(reading.inside(body, "data", "account_name"), 200)
    if not name:
        raise ProviderUnavailable(f"{NAME} named no holder of the account; try again later.")
    return ResolvedAccount(name, "")


def read_balances(answer: Answer, slug: str, currency: str, as_of: datetime) -> list[BalanceReading]:
    """What we hold in a currency; Flutterwave says neither of which account nor of when. Raises ProviderUnavailable."""
    rows = reading.rows(_read(answer).get("data"))
    found = [(row, reading.number(row.get("available_balance"))) for row in rows if row.get("currency") == currency]
    return [
        BalanceReading(
            currency, available, f"{slug}:{currency}", as_of, ledger=reading.number(row.get("ledger_balance")),
            metadata=redacted(row),
        )
        for row, available in found
        if available is not None
    ]  # fmt: skip


def read_checkout(answer: Answer) -> DepositHandle:
    """Where they pay. Raises ProviderUnavailable and CheckoutExists."""
    body = outcomes.opened(answer, provider=NAME, agreed=_agreed, refusal=_refusal)
    return DepositHandle(outcomes.link(body, "data", "link", provider=NAME))


def _read(answer: Answer) -> Body:
    return outcomes.read(answer, provider=NAME, agreed=_agreed)


def _agreed(body: Body) -> bool:
    return body.get("status") == "success"


def _refusal(body: Body) -> Refusal | None:
    if body.get("status") != "error":
        return None
    message = reading.words(body.get("message"))
    return Refusal(outcomes.about(message), message)


def _no_transfer(status: int, body: Body) -> bool:
    return status == 200 and body.get("status") == "success" and body.get("data") == []


def _no_transaction(status: int, body: Body) -> bool:
    said = reading.words(body.get("message")).lower()
    return status in (400, 404) and body.get("status") == "error" and ("no transaction" in said or "not found" in said)


def _submitted(body: Body, reference: str) -> PayoutState:
    data = reading.members(body, "data")
    theirs = reading.text(data.get("reference"))
    if not _agreed(body) or not outcomes.is_asked_for(reference, theirs):
        return outcomes.beside(PayoutState, body, provider=NAME, theirs=theirs)
    return _payout(data)


def _listed(body: Body, reference: str) -> PayoutState:
    rows = reading.rows(body.get("data"))
    ours = [row for row in rows if row.get("reference") == reference]
    if not _agreed(body) or len(ours) != 1:
        detail = f"{NAME} lists {len(rows)} transfers, {len(ours)} of them with the reference."
        return PayoutState(RemoteStatus.UNKNOWN, detail=detail, raw=redacted(body))
    return _payout(ours[0])


def _payout(data: Body) -> PayoutState:
    status = reading.text(data.get("status"))
    known = reading.currency(data.get("currency"))
    remote = PAYOUTS.get(status.upper(), RemoteStatus.UNKNOWN)
    if remote is RemoteStatus.PENDING and _waits_for_approval(data):
        remote = RemoteStatus.ACTION_REQUIRED
    why = reading.words(data.get("complete_message"))
    return PayoutState(
        remote,
        amount=reading.minor(data.get("amount"), known),
        currency=known,
        provider_id=reading.text(data.get("id")),
        detail=reading.told(NAME, status, why),
        underfunded=outcomes.failed_underfunded(remote, why),
        fee=reading.number(data.get("fee")),
        raw=redacted(data),
    )


def _waits_for_approval(data: Body) -> bool:
    return data.get("requires_approval") in (1, True) and data.get("is_approved") in (0, False)


def _deposit(body: Body, reference: str, provider_id: str) -> DepositState:
    data = reading.members(body, "data")
    theirs, id = reading.text(data.get("tx_ref")), reading.text(data.get("id"))
    asked = (reference, theirs) if reference else (provider_id, id)
    if not _agreed(body) or not outcomes.is_asked_for(*asked):
        return outcomes.beside(DepositState, body, provider=NAME, theirs=theirs)
    status = reading.text(data.get("status"))
    known = reading.currency(data.get("currency"))
    why = reading.words(data.get("processor_response"))
    return DepositState(
        DEPOSITS.get(status.lower(), RemoteStatus.UNKNOWN),
        reference=theirs,
        amount=reading.minor(data.get("amount"), known),
        currency=known,
        provider_id=id,
        detail=reading.told(NAME, status, why),
        fee=_kept(data),
        raw=redacted(data),
    )


def _kept(data: Body) -> Decimal | None:
    """What Flutterwave keeps of the amount. A fee that the payer paid on top of it isn't taken from us."""
    amount, settled = reading.number(data.get("amount")), reading.number(data.get("amount_settled"))
    if amount is not None and settled is not None:
        return amount - settled
    fee, charged = reading.number(data.get("app_fee")), reading.number(data.get("charged_amount"))
    if fee is None or amount is None or charged is None:
        return fee
    return max(fee - (charged - amount), Decimal(0))
