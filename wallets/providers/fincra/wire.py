"""Requests to Fincra, from our values; pure. Its amounts are major units, and payouts take them as strings."""

from collections.abc import Mapping

from wallets.providers.money import NotExact, json_number, to_major
from wallets.providers.outcomes import Unsendable
from wallets.providers.port import DepositIntent, PayoutOrder
from wallets.providers.transport import Call, segment


def build_banks(country: str, currency: str) -> Call:
    """A country's banks."""
    return Call("GET", "/core/banks", {"currency": currency, "country": country})


def build_resolve(bank_code: str, account_number: str) -> Call:
    """Whose account it is."""
    body = {"type": "nuban", "accountNumber": account_number, "bankCode": bank_code}
    return Call("POST", "/core/accounts/resolve", body=body)


def build_payout(order: PayoutOrder, business_id: str) -> Call:
    """The order."""
    first, _, last = order.account_name.strip().partition(" ")
    body = {
        "business": business_id, "sourceCurrency": order.currency, "destinationCurrency": order.currency,
        "amount": str(to_major(order.amount, order.currency)), "description": order.narration,
        "paymentDestination": "bank_account", "customerReference": order.reference,
        "beneficiary": {
            "type": "individual", "firstName": first, "lastName": last.strip() or first,
            "accountHolderName": order.account_name, "accountNumber": order.account_number,
            "bankCode": order.bank_code,
        },
    }  # fmt: skip
    return Call("POST", "/disbursements/payouts", body=body)


def build_payout_query(reference: str) -> Call:
    """What has become of an order."""
    return Call("GET", f"/disbursements/payouts/customer-reference/{segment(reference)}")


def build_balances(currency: str, business_id: str) -> Call:
    """What we hold there in a currency."""
    return Call("GET", "/wallets", {"businessID": business_id, "currency": currency})


def build_checkout(intent: DepositIntent, headers: Mapping[str, str]) -> Call:
    """A page to pay at, whose fee is ours to bear: so that what is paid is what was asked for. Raises Unsendable."""
    try:
        amount = json_number(to_major(intent.amount, intent.currency))
    except NotExact as error:
        raise Unsendable("amount_not_exact", str(error)) from error
    body = {
        "amount": amount, "currency": intent.currency, "reference": intent.reference,
        "customer": {"name": intent.name, "email": intent.email}, "redirectUrl": intent.return_url,
        "feeBearer": "business", "settlementDestination": "wallet",
    }  # fmt: skip
    return Call("POST", "/checkout/payments", body=body, headers=headers)


def build_deposit_query(reference: str, provider_id: str, business_id: str) -> Call:
    """What has become of a checkout, or of money that came to a virtual account, which has no reference of ours."""
    if reference:
        path = f"/checkout/payments/merchant-reference/{segment(reference)}"
        return Call("GET", path, headers={"x-business-id": business_id})
    return Call("GET", f"/collections/reference/{segment(provider_id)}", {"business": business_id})
