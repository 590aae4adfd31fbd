"""Requests to Flutterwave, from our values; pure. Its amounts are major units, as JSON numbers."""

from wallets.providers.money import NotExact, json_number, to_major
from wallets.providers.outcomes import Unsendable
from wallets.providers.port import DepositIntent, PayoutOrder
from wallets.providers.transport import Call, segment


def build_banks(country: str) -> Call:
    """A country's banks."""
    return Call("GET", f"/banks/{segment(country)}")


def build_resolve(bank_code: str, account_number: str) -> Call:
    """Whose account it is."""
    return Call("POST", "/accounts/resolve", body={"account_number": account_number, "account_bank": bank_code})


def build_payout(order: PayoutOrder) -> Call:
    """The order. Raises Unsendable."""
    body = {
        "account_bank": order.bank_code, "account_number": order.account_number,
        "amount": _amount(order.amount, order.currency), "currency": order.currency, "debit_currency": order.currency,
        "narration": order.narration, "reference": order.reference, "beneficiary_name": order.account_name,
    }  # fmt: skip
    return Call("POST", "/transfers", body=body)


def build_payout_query(reference: str) -> Call:
    """The orders by a reference: a list, whose filter isn't to be trusted."""
    return Call("GET", "/transfers", {"reference": reference})


def build_balances() -> Call:
    """What we hold there, in all currencies: asked for one that we have never had, it is a refusal."""
    return Call("GET", "/balances")


def build_checkout(intent: DepositIntent) -> Call:
    """A page to pay at. Raises Unsendable."""
    body = {
        "tx_ref": intent.reference, "amount": _amount(intent.amount, intent.currency), "currency": intent.currency,
        "redirect_url": intent.return_url, "customer": {"email": intent.email, "name": intent.name},
    }  # fmt: skip
    return Call("POST", "/payments", body=body)


def build_deposit_query(reference: str, provider_id: str) -> Call:
    """What has become of a deposit."""
    if reference:
        return Call("GET", "/transactions/verify_by_reference", {"tx_ref": reference})
    return Call("GET", f"/transactions/{segment(provider_id)}/verify")


def _amount(amount: int, currency: str) -> int | float:
    try:
        return json_number(to_major(amount, currency))
    except NotExact as error:
        raise Unsendable("amount_not_exact", str(error)) from error
