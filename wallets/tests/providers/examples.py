"""What the three providers send, in their shapes, about people who aren't there."""

from typing import Any

REFERENCE = "wdr_0123456789abcdef0123456789abcdef_1"
DEPOSIT = "dep-0123456789abcdef0123456789abcdef"


def paystack_transfer(status: str = "pending", **more: Any) -> dict[str, Any]:
    data = {
        "id": 9001, "domain": "test", "integration": 77, "amount": 250050, "currency": "NGN", "source": "balance",
        "reference": REFERENCE, "transfer_code": "TRF_x1y2z3", "status": status, "reason": "Wallet withdrawal",
        "failures": None, "titan_code": None, "transferred_at": None, "recipient": 411, "request": 5,
        "createdAt": "2026-01-05T10:00:01.000Z", "updatedAt": "2026-01-05T10:00:01.000Z",
    }  # fmt: skip
    return {"status": True, "message": "Transfer has been queued", "data": data | more}


def paystack_error(message: str, code: str | None = None, **more: Any) -> dict[str, Any]:
    error: dict[str, Any] = {"status": False, "message": message}
    return error | ({"code": code, "type": "validation_error"} if code else {}) | more


def paystack_transaction(status: str = "success", **more: Any) -> dict[str, Any]:
    data = {
        "id": 302961, "status": status, "reference": DEPOSIT, "amount": 1000000, "currency": "NGN", "fees": 15000,
        "paid_at": "2026-01-05T10:05:00.000Z", "channel": "card", "requested_amount": 1000000,
        "gateway_response": "Approved", "customer": {"id": 5, "email": "amina@example.com"},
        "authorization": {"authorization_code": "AUTH_1", "last4": "4081"},
    }  # fmt: skip
    return {"status": True, "message": "Verification successful", "data": data | more}


def flutterwave_transfer(status: str = "NEW", **more: Any) -> dict[str, Any]:
    return {
        "id": 396432, "account_number": "0690000031", "bank_code": "044", "full_name": "Amina Bello",
        "created_at": "2026-01-05T10:00:01.000Z", "currency": "NGN", "debit_currency": "NGN", "amount": 2500.5,
        "fee": 26.875, "status": status, "reference": REFERENCE, "meta": None, "narration": "Wallet withdrawal",
        "complete_message": "", "requires_approval": 0, "is_approved": 1, "bank_name": "ACCESS BANK NIGERIA", **more,
    }  # fmt: skip


def flutterwave(data: Any, message: str = "done") -> dict[str, Any]:
    return {"status": "success", "message": message, "data": data}


def flutterwave_error(message: str) -> dict[str, Any]:
    return {"status": "error", "message": message, "data": None}


def flutterwave_transaction(status: str = "successful", **more: Any) -> dict[str, Any]:
    data = {
        "id": 285959875, "tx_ref": DEPOSIT, "flw_ref": "FLW-1", "amount": 10000, "charged_amount": 10000,
        "app_fee": 140,
        "currency": "NGN", "status": status, "payment_type": "bank_transfer", "processor_response": "Approved",
        "customer": {"id": 3, "name": "Amina Bello", "email": "amina@example.com", "phone_number": "+2348000000000"},
    }  # fmt: skip
    return flutterwave(data | more)


def fincra_payout(status: str = "processing", **more: Any) -> dict[str, Any]:
    data = {
        "id": 14483, "amountCharged": 2550.5, "amountReceived": 2500.5, "fee": 50, "sourceCurrency": "NGN",
        "destinationCurrency": "NGN", "status": status, "reference": "cb2c581b-58a5-4037-be65-000000000000",
        "customerReference": REFERENCE, "reason": "",
        "recipient": {"name": "Amina Bello", "accountNumber": "2345678901", "type": "individual", "email": None},
    }  # fmt: skip
    return {"success": True, "message": "Payout processed successfully", "data": data | more}


def fincra_error(error_type: str, error: str = "No.") -> dict[str, Any]:
    return {"success": False, "error": error, "errorType": error_type}


def fincra_checkout(status: str = "success", **more: Any) -> dict[str, Any]:
    data = {
        "id": 1093510, "businessId": "b", "amount": 100, "currency": "NGN", "amountReceived": 100,
        "feeBearer": "business",
        "reference": "fcr-p-fc99410576", "merchantReference": DEPOSIT, "status": status, "varianceType": None,
        "customer": {"name": "Amina Bello", "email": "amina@example.com", "phoneNumber": "2348000000000"},
    }  # fmt: skip
    return {"status": True, "message": "Payment details fetched", "data": data | more}
