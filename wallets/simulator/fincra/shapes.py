"""What Fincra answers and tells."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from wallets.simulator.accounts import Account
from wallets.simulator.amounts import major, told
from wallets.simulator.clock import iso
from wallets.simulator.deposits import Deposit
from wallets.simulator.orders import Transfer
from wallets.simulator.wire import Answer

STATUSES = {"success": "successful", "failed": "failed", "reversed": "failed"}
DEPOSIT_STATUSES = {"open": "pending"}


def yes(message: str, data: Any) -> Answer:
    """A call that went well."""
    return Answer(200, {"success": True, "message": message, "data": data})


def no(status: int, error: str, error_type: str) -> Answer:
    """A refusal."""
    return Answer(status, {"success": False, "error": error, "errorType": error_type})


def not_found(error: str) -> Answer:
    """Nothing by that name."""
    return no(404, error, "RESOURCE_NOT_FOUND")


def gateway(status: int, message: str) -> Answer:
    """What answers before Fincra itself does."""
    return Answer(status, {"message": message, "request_id": uuid5(NAMESPACE_URL, message).hex})


def own(number: int) -> str:
    """Fincra's own reference of a payout."""
    return f"cb2c581b-58a5-4037-be65-{number:012x}"


def payout(transfer: Transfer) -> dict[str, Any]:
    """A payout, as its query and its webhook tell it."""
    status = transfer.word or STATUSES.get(transfer.state, "processing")
    received, paid = transfer.said_amount, iso(transfer.paid)
    return {
        "id": transfer.id, "amountCharged": major(received + transfer.fee), "amountReceived": major(received),
        "fee": told(transfer.said_fee), "rate": 1, "paymentScheme": None, "paymentDestination": "bank_account",
        "sourceCurrency": transfer.said_currency, "destinationCurrency": transfer.said_currency, "status": status,
        "reference": own(transfer.id), "customerReference": transfer.reference,
        "reason": transfer.detail or ("Payout was successful" if transfer.state == "success" else None),
        "traceId": f"{transfer.id:030d}", "createdAt": iso(transfer.created), "updatedAt": iso(transfer.updated),
        "valuedAt": paid if transfer.state == "success" else None,
        "recipient": {
            "name": transfer.account_name, "accountNumber": transfer.account_number, "type": "individual",
            "email": None,
        },
    }  # fmt: skip


def charge(deposit: Deposit) -> dict[str, Any]:
    """A checkout, as its query and its webhook tell it."""
    return {
        "id": deposit.id, "chargeReference": f"fcr-{deposit.token}", "reference": deposit.reference,
        "amount": major(deposit.paid if deposit.state == "success" else deposit.asked),
        "amountExpected": major(deposit.asked), "amountReceived": major(deposit.paid),
        "amountToSettle": major(deposit.settled), "varianceType": None, "currency": deposit.paid_currency,
        "fee": major(deposit.fee), "vat": 0, "status": DEPOSIT_STATUSES.get(deposit.state, deposit.state),
        "type": "card", "description": "checkout", "metadata": deposit.details, "settlementDestination": "wallet",
        "settlementTime": "instant", "virtualAccount": None, "createdAt": iso(deposit.created),
        "updatedAt": iso(deposit.updated),
        "customer": {"name": deposit.name, "email": deposit.email, "phoneNumber": None},
    }  # fmt: skip


def wallet(account: Account, business: str) -> dict[str, Any]:
    """An account."""
    number = str(uuid5(NAMESPACE_URL, f"fincra:{account.currency}").int % 1_000_000)
    return {
        "id": int(number), "_id": number, "business": business, "businessId": 14000,
        "ledgerBalance": major(account.ledger), "availableBalance": major(account.available),
        "lockedBalance": major(account.locked), "rollingReserveBalance": 0,
        "walletNumber": 100_000_000_000_000 + int(number), "currency": account.currency, "status": "enabled",
        "overdraftEnabled": False, "overdraftLimit": None, "updatedAt": iso(account.updated),
    }  # fmt: skip


def collection(deposit: Deposit, business: str) -> dict[str, Any]:
    """A transfer that came by itself."""
    return {
        "id": deposit.id, "business": business, "virtualAccount": "65f0c2a4b7d9e30012ab45b9",
        "sessionId": f"ETZ-{deposit.id}", "senderAccountName": deposit.name, "senderAccountNumber": None,
        "senderBankName": "Access Bank PLC", "sourceCurrency": deposit.paid_currency,
        "destinationCurrency": deposit.paid_currency, "sourceAmount": major(deposit.paid),
        "destinationAmount": major(deposit.paid), "amountReceived": major(deposit.settled),
        "fee": major(deposit.fee), "customerName": deposit.name, "settlementDestination": "wallet",
        "status": "successful", "description": f"FT/{deposit.id}", "reference": deposit.reference,
        "initiatedAt": iso(deposit.created), "createdAt": iso(deposit.created), "updatedAt": iso(deposit.updated),
    }  # fmt: skip
