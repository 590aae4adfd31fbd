"""What Paystack is sent: the bodies of its calls, and nothing beside what it documents."""

from typing import Any, Literal

import msgspec


class NewRecipient(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transferrecipient."""

    type: Literal["nuban", "ghipss", "mobile_money", "kepss", "basa"]
    name: str
    account_number: str
    bank_code: str
    currency: str = "NGN"
    description: str = ""
    metadata: Any = None


class NewTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transfer."""

    source: Literal["balance"]
    amount: int
    recipient: str
    reference: str
    reason: str = ""
    currency: str = "NGN"


class FinalTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transfer/finalize_transfer."""

    transfer_code: str
    otp: str


class NewTransaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transaction/initialize."""

    email: str
    amount: int | str
    reference: str
    currency: str = "NGN"
    callback_url: str = ""
    metadata: Any = None
    channels: list[str] | None = None
