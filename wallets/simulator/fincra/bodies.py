"""What Fincra is sent: the bodies of its calls, and nothing beside what it documents."""

from decimal import Decimal
from typing import Any, Literal

import msgspec


class Camel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A body in Fincra's spelling."""


class Beneficiary(Camel, frozen=True):
    """Who is paid."""

    account_number: str
    bank_code: str
    type: Literal["individual", "corporate"]
    first_name: str = ""
    last_name: str = ""
    account_holder_name: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


class NewPayout(Camel, frozen=True):
    """POST /disbursements/payouts."""

    business: str
    source_currency: str
    destination_currency: str
    amount: Decimal
    description: str
    payment_destination: Literal["bank_account"]
    customer_reference: str
    beneficiary: Beneficiary
    sender: Any = None
    quote_reference: str = ""
    payment_scheme: str = ""


class AccountQuestion(Camel, frozen=True):
    """POST /core/accounts/resolve."""

    account_number: str
    bank_code: str
    type: Literal["nuban"] = "nuban"


class Customer(Camel, frozen=True):
    """Who pays in."""

    email: str
    name: str
    phone_number: str = ""


class NewCheckout(Camel, frozen=True):
    """POST /checkout/payments."""

    currency: str
    amount: Decimal
    reference: str
    customer: Customer
    redirect_url: str = ""
    settlement_destination: Literal["wallet"] = "wallet"
    fee_bearer: Literal["business", "customer"] = "business"
    metadata: Any = None
    payment_methods: list[str] | None = None
    default_payment_method: str = ""
    success_message: str = ""
