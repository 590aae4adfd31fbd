"""What Flutterwave is sent: the bodies of its calls, and nothing beside what it documents."""

from decimal import Decimal
from typing import Any

import msgspec


class NewTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transfers."""

    account_bank: str
    account_number: str
    amount: Decimal
    currency: str
    reference: str
    debit_currency: str = ""
    narration: str = ""
    callback_url: str = ""
    beneficiary_name: str = ""
    meta: Any = None


class AccountQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /accounts/resolve."""

    account_number: str
    account_bank: str


class Customer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who pays in."""

    email: str
    name: str = ""
    phonenumber: str = ""


class NewPayment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /payments."""

    tx_ref: str
    amount: Decimal
    currency: str
    redirect_url: str
    customer: Customer
    meta: Any = None
    payment_options: str = ""
    customizations: Any = None
