"""What Flutterwave answers and tells."""

from typing import Any

from wallets.simulator import directory
from wallets.simulator.amounts import major, told
from wallets.simulator.clock import iso
from wallets.simulator.deposits import Deposit
from wallets.simulator.orders import Transfer
from wallets.simulator.wire import Answer

STATUSES = {"success": "SUCCESSFUL", "failed": "FAILED", "reversed": "FAILED"}


def body(message: str, data: Any) -> dict[str, Any]:
    """An answer that says yes."""
    return {"status": "success", "message": message, "data": data}


def yes(message: str, data: Any) -> Answer:
    """A call that went well."""
    return Answer(200, body(message, data))


def no(status: int, message: str) -> Answer:
    """A refusal."""
    return Answer(status, {"status": "error", "message": message, "data": None})


def found(known: Deposit | None) -> Answer:
    """A deposit, or that there is none."""
    if known is None or known.state == "open":
        return no(400, "No transaction was found for this id")
    return yes("Transaction fetched successfully", deposit(known))


def transfer(transfer: Transfer, *, created: bool = False) -> dict[str, Any]:
    """A transfer, as an order and its webhooks tell it."""
    waits = transfer.state in ("otp", "approval")
    status = STATUSES.get(transfer.state, "NEW" if created or waits else "PENDING")
    bank = directory.bank_name(transfer.bank_code, transfer.currency) or ""
    return {
        "id": transfer.id, "account_number": transfer.account_number, "bank_code": transfer.bank_code,
        "full_name": transfer.account_name, "created_at": iso(transfer.created), "currency": transfer.said_currency,
        "debit_currency": transfer.currency, "amount": major(transfer.said_amount), "fee": told(transfer.said_fee),
        "status": transfer.word or status, "reference": transfer.reference, "meta": None,
        "narration": transfer.narration, "complete_message": _message(transfer), "requires_approval": int(waits),
        "is_approved": int(not waits), "bank_name": bank.upper(),
    }  # fmt: skip


def _message(transfer: Transfer) -> str:
    if transfer.state in ("failed", "reversed"):
        return f"DISBURSE FAILED: {transfer.detail}"
    return "Transaction was successful" if transfer.state == "success" else ""


def deposit(deposit: Deposit) -> dict[str, Any]:
    """A deposit, as its query and its webhook tell it."""
    paid = deposit.state == "success"
    return {
        "id": deposit.id, "tx_ref": deposit.reference, "flw_ref": f"FLW-{deposit.id}",
        "amount": major(deposit.paid if paid else deposit.asked), "charged_amount": major(deposit.charged),
        "app_fee": major(deposit.fee), "merchant_fee": 0, "currency": deposit.paid_currency,
        "status": "successful" if paid else "failed", "auth_model": "AUTH", "ip": "203.0.113.9",
        "payment_type": "bank_transfer" if deposit.kind == "collection" else "card",
        "processor_response": "Approved" if paid else "Declined", "narration": "Simulated", "account_id": 17,
        "amount_settled": major(deposit.settled), "meta": deposit.details, "created_at": iso(deposit.updated),
        "customer": {
            "id": 3, "name": deposit.name, "email": deposit.email, "phone_number": None,
            "created_at": iso(deposit.created),
        },
    }  # fmt: skip
