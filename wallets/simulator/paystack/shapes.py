"""What Paystack answers and tells."""

from typing import Any

from wallets.simulator import directory
from wallets.simulator.amounts import minor
from wallets.simulator.clock import iso
from wallets.simulator.deposits import Deposit
from wallets.simulator.directory import Recipient
from wallets.simulator.orders import Transfer
from wallets.simulator.wire import Answer

INTEGRATION = 77
STATUSES = {"approval": "received"}
DEPOSIT_STATUSES = {"open": "abandoned"}


def body(message: str, data: Any) -> dict[str, Any]:
    """An answer that says yes."""
    return {"status": True, "message": message, "data": data}


def yes(message: str, data: Any) -> Answer:
    """A call that went well."""
    return Answer(200, body(message, data))


def no(status: int, message: str, **more: Any) -> Answer:
    """Paystack's refusal; a plain one has no more than a message."""
    if "code" in more:
        more = {"meta": {"nextStep": "Contact support"}, "type": "validation_error"} | more
    return Answer(status, {"status": False, "message": message} | more)


def found(known: Deposit | None) -> Answer:
    """A deposit, or that there is none."""
    if known is None:
        return no(400, "Transaction reference not found.", code="transaction_not_found")
    return yes("Verification successful", deposit(known))


def transfer(transfer: Transfer) -> dict[str, Any]:
    """A transfer, as an order and its webhooks tell it."""
    return {
        "id": transfer.id, "domain": "test", "integration": INTEGRATION, "amount": minor(transfer.said_amount),
        "currency": transfer.said_currency, "source": "balance", "reference": transfer.reference,
        "transfer_code": f"TRF_{_base36(transfer.id)}",
        "status": transfer.word or STATUSES.get(transfer.state, transfer.state), "reason": transfer.narration,
        "failures": None, "titan_code": None, "transferred_at": iso(transfer.paid), "recipient": transfer.recipient,
        "request": transfer.id, "createdAt": iso(transfer.created), "updatedAt": iso(transfer.updated),
    }  # fmt: skip


def recipient(recipient: Recipient) -> dict[str, Any]:
    """A recipient."""
    return {
        "active": True, "currency": recipient.currency, "domain": "test", "id": recipient.id,
        "integration": INTEGRATION, "name": recipient.name, "recipient_code": recipient.code, "type": recipient.type,
        "is_deleted": False, "createdAt": iso(recipient.created), "updatedAt": iso(recipient.created),
        "details": {
            "authorization_code": None, "account_number": recipient.account_number,
            "account_name": (directory.holder(recipient.account_number) or recipient.name).upper(),
            "bank_code": recipient.bank_code, "bank_name": directory.bank_name(recipient.bank_code, recipient.currency),
        },
    }  # fmt: skip


def deposit(deposit: Deposit) -> dict[str, Any]:
    """A deposit, as its query and its webhook tell it."""
    paid = deposit.state == "success"
    return {
        "id": deposit.id, "domain": "test", "status": DEPOSIT_STATUSES.get(deposit.state, deposit.state),
        "reference": deposit.reference, "amount": minor(deposit.paid if paid else deposit.asked),
        "currency": deposit.paid_currency, "requested_amount": minor(deposit.asked), "fees": minor(deposit.fee),
        "channel": "dedicated_nuban" if deposit.kind == "collection" else "card",
        "gateway_response": "Approved" if paid else "The transaction was not completed",
        "paid_at": iso(deposit.updated) if paid else None, "created_at": iso(deposit.created),
        "metadata": deposit.details, "ip_address": "203.0.113.9",
        "customer": {"id": 5, "email": deposit.email, "customer_code": "CUS_1"}, "plan": {},
        "authorization": {
            "authorization_code": "AUTH_1", "last4": "4081", "bank": "TEST BANK", "channel": "card", "reusable": True,
        },
    }  # fmt: skip


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits.rjust(6, "0")
