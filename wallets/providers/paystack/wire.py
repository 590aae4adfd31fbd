"""Requests to Paystack, from our values; pure."""

from wallets.currencies import exponent
from wallets.providers.money import NotExact, json_number, to_major
from wallets.providers.outcomes import Unsendable
from wallets.providers.port import DepositIntent, PayoutOrder
from wallets.providers.transport import Call, segment

# Paystack counts in hundredths whatever the currency; where ISO 4217 doesn't, nobody told us what it would make of it.
DIGITS = 2
COUNTRIES = {
    "NG": "nigeria", "GH": "ghana", "ZA": "south africa", "KE": "kenya", "CI": "côte d'ivoire", "EG": "egypt",
}  # fmt: skip
RECIPIENTS = {"NGN": "nuban", "GHS": "ghipss", "ZAR": "basa", "KES": "kepss"}
PAGE = 100


def build_banks(country: str, currency: str, cursor: str = "") -> Call:
    """A page of a country's banks, the one behind a cursor."""
    query = {"country": COUNTRIES.get(country, country), "currency": currency, "perPage": str(PAGE)}
    return Call("GET", "/bank", {**query, "use_cursor": "true", **({"next": cursor} if cursor else {})})


def build_resolve(bank_code: str, account_number: str) -> Call:
    """Whose account it is."""
    return Call("GET", "/bank/resolve", {"account_number": account_number, "bank_code": bank_code})


def build_recipient(bank_code: str, account_number: str, account_name: str, currency: str) -> Call:
    """Who shall be paid. Raises Unsendable for a currency in which Paystack pays no bank accounts."""
    if currency not in RECIPIENTS:
        raise Unsendable("currency_not_paid", f"Paystack pays bank accounts in {', '.join(RECIPIENTS)}.")
    body = {
        "type": RECIPIENTS[currency], "name": account_name, "account_number": account_number,
        "bank_code": bank_code, "currency": currency,
    }  # fmt: skip
    return Call("POST", "/transferrecipient", body=body)


def build_payout(order: PayoutOrder) -> Call:
    """The order. Raises Unsendable."""
    if not order.recipient:
        raise Unsendable("no_recipient", "Paystack pays recipients only: ask it for one before the payout.")
    body = {
        "source": "balance", "amount": _amount(order.amount, order.currency), "currency": order.currency,
        "recipient": order.recipient, "reference": order.reference, "reason": order.narration,
    }  # fmt: skip
    return Call("POST", "/transfer", body=body)


def build_payout_query(reference: str) -> Call:
    """What has become of an order."""
    return Call("GET", f"/transfer/verify/{segment(reference)}")


def build_balances() -> Call:
    """What we hold there."""
    return Call("GET", "/balance")


def build_checkout(intent: DepositIntent) -> Call:
    """A page to pay at. Raises Unsendable."""
    body = {
        "email": intent.email, "amount": _amount(intent.amount, intent.currency), "currency": intent.currency,
        "reference": intent.reference, "callback_url": intent.return_url,
    }  # fmt: skip
    return Call("POST", "/transaction/initialize", body=body)


def build_deposit_query(reference: str, provider_id: str) -> Call:
    """What has become of a deposit."""
    path = f"/transaction/verify/{segment(reference)}" if reference else f"/transaction/{segment(provider_id)}"
    return Call("GET", path)


def _amount(amount: int, currency: str) -> int:
    if exponent(currency) != DIGITS:
        raise Unsendable("currency_not_exact", f"How Paystack counts {currency} isn't known; it isn't sent any.")
    try:
        json_number(to_major(amount, currency).scaleb(DIGITS))
    except NotExact as error:
        raise Unsendable("amount_not_exact", str(error)) from error
    return amount
