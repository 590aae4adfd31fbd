"""Keys, units, shapes, and how strict each face is."""

from typing import Any

import httpx
import pytest

from wallets.simulator.server import Simulator
from wallets.tests.simulator.conftest import BUSINESS, GOOD, Customer, wdr, web

UNAUTHORIZED = {
    "paystack": {"status": False, "message": "Invalid key"},
    "flutterwave": {"status": "error", "message": "Invalid authorization key", "data": None},
    "fincra": {"message": "Unauthorized"},
}
ORDER_MEMBERS = {
    "paystack": {"id", "reference", "transfer_code", "status", "amount", "currency", "recipient", "createdAt"},
    "flutterwave": {"id", "reference", "status", "amount", "fee", "full_name", "requires_approval", "is_approved"},
    "fincra": {"id", "reference", "customerReference", "status"},
}


def changed(customer: Customer, **change: Any) -> httpx.Response:
    """An order with something else in its body."""
    path, body = customer.wire_order(wdr(1), GOOD, 100)
    return customer.http.post(path, json=body | change)


def is_a_refusal(answer: httpx.Response) -> bool:
    """A readable no, in the provider's own shape."""
    body = answer.json()
    return answer.status_code in (400, 422) and (body.get("status") in (False, "error") or body["success"] is False)


def test_a_wrong_key_opens_nothing(customer: Customer):
    customer.http.headers.update({"Authorization": "Bearer nothing", "api-key": "nothing"})
    answer = customer.order(wdr(1)) if customer.provider != "paystack" else customer.query(wdr(1))
    assert answer.status_code == 401
    assert UNAUTHORIZED[customer.provider].items() <= answer.json().items()


def test_fincras_gateway_misses_a_key_in_its_own_words(sim: Simulator):
    answer = web.get(f"{sim.base('fincra')}/wallets")
    assert (answer.status_code, answer.json()["message"]) == (401, "No API key found in request")


def test_fincras_checkout_wants_the_public_key_too(fincra: Customer):
    fincra.http.headers["x-pub-key"] = "nothing"
    assert fincra.check_out("dep-1").status_code == 401


def test_an_order_is_answered_in_the_providers_shape(customer: Customer):
    answer = customer.order(wdr(1))
    assert (answer.status_code, ORDER_MEMBERS[customer.provider] <= set(answer.json()["data"])) == (200, True)


def test_an_unknown_member_is_refused(customer: Customer):
    assert is_a_refusal(changed(customer, idempotency_key="x"))
    assert customer.find(wdr(1)) is None


@pytest.mark.parametrize("amount", [0, -1, None, "ten", "1e400", "NaN", True, [], "1.0000001"])
def test_a_malformed_amount_is_refused(customer: Customer, amount: Any):
    assert is_a_refusal(changed(customer, amount=amount))


def test_paystack_counts_in_whole_kobo(paystack: Customer):
    assert is_a_refusal(changed(paystack, amount=100.5))
    assert is_a_refusal(changed(paystack, amount="100"))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"amount": 1}', b"\xff"])
def test_a_body_that_is_no_order_is_refused(customer: Customer, body: bytes):
    path, _ = customer.wire_order(wdr(1), GOOD, 100)
    assert is_a_refusal(customer.http.post(path, content=body))


@pytest.mark.parametrize("reference", ["short", "W" * 20, "a" * 51, "wdr 0123456789abcdef", "wdr_0123456789abcdé"])
def test_paystack_takes_16_to_50_small_letters(paystack: Customer, reference: str):
    assert is_a_refusal(changed(paystack, reference=reference))


def test_paystack_wants_a_recipient_that_it_knows(paystack: Customer):
    answer = changed(paystack, recipient="RCP_nobody")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_transfer_recipient")


def test_paystack_wants_a_bank_that_it_knows(paystack: Customer):
    body = {"type": "nuban", "name": "Amina", "account_number": GOOD, "bank_code": "000", "currency": "NGN"}
    assert paystack.http.post("/transferrecipient", json=body).json()["message"] == "Bank is invalid"


def test_fincra_wants_its_own_business(fincra: Customer):
    assert changed(fincra, business="0" * 24).status_code == 422
    assert fincra.http.get("/wallets", params={"businessID": "0" * 24}).status_code == 422


def test_fincra_changes_no_currency_without_a_quote(fincra: Customer):
    assert changed(fincra, destinationCurrency="USD").json()["errorType"] == "QUOTE_NOT_GENERATED"


def test_units_are_the_providers_own(sim: Simulator, paystack: Customer, flutterwave: Customer, fincra: Customer):
    for customer in (paystack, flutterwave, fincra):
        customer.order(wdr(1), amount=2500)
    sim.advance(10)
    assert (paystack.find(wdr(1))["amount"], paystack.find(wdr(1))["fee_charged"]) == (250_000, 2_500)
    assert (flutterwave.find(wdr(1))["amount"], flutterwave.find(wdr(1))["fee"]) == (2500, 26.875)
    assert (fincra.find(wdr(1))["amountReceived"], fincra.find(wdr(1))["amountCharged"]) == (2500, 2550)


def test_fincra_finds_a_payout_by_its_own_reference_too(fincra: Customer):
    own = fincra.order(wdr(1)).json()["data"]["reference"]
    found = fincra.http.get(f"/disbursements/payouts/reference/{own}").json()["data"]
    assert found["customerReference"] == wdr(1)


@pytest.mark.parametrize("by", ["id", "transfer_code"])
def test_paystack_finds_a_transfer_by_its_own_names_too(paystack: Customer, by: str):
    own = paystack.order(wdr(1)).json()["data"][by]
    assert paystack.http.get(f"/transfer/{own}").json()["data"]["reference"] == wdr(1)


def test_flutterwave_finds_a_transfer_by_its_number_too(flutterwave: Customer):
    own = flutterwave.order(wdr(1)).json()["data"]["id"]
    assert flutterwave.http.get(f"/transfers/{own}").json()["data"]["reference"] == wdr(1)


def test_the_newest_transfers_are_listed(paystack: Customer, flutterwave: Customer):
    for customer, path in ((paystack, "/transfer"), (flutterwave, "/transfers")):
        for number in (1, 2):
            customer.order(wdr(number))
        assert [row["reference"] for row in customer.http.get(path).json()["data"]] == [wdr(2), wdr(1)]


@pytest.mark.parametrize(
    ("provider", "path"),
    [("paystack", "/bank?country=nigeria"), ("flutterwave", "/banks/NG"), ("fincra", "/core/banks?currency=NGN")],
)
def test_banks_have_codes_that_are_text(sim: Simulator, provider: str, path: str):
    codes = [row["code"] for row in Customer(sim.base(provider), provider).http.get(path).json()["data"]]
    assert {"044", "035A", "MFB50094"} <= set(codes)


def test_the_holder_of_an_account_is_told(paystack: Customer, flutterwave: Customer, fincra: Customer):
    ours = paystack.http.get("/bank/resolve", params={"account_number": GOOD, "bank_code": "057"})
    body = {"account_number": GOOD, "account_bank": "057"}
    theirs = flutterwave.http.post("/accounts/resolve", json=body)
    third = fincra.http.post("/core/accounts/resolve", json={"accountNumber": GOOD, "bankCode": "057"})
    name = theirs.json()["data"]["account_name"]
    assert ours.json()["data"]["account_name"] == name.upper()
    assert third.json()["data"]["accountName"] == name


def test_an_account_that_nobody_has_can_not_be_resolved(paystack: Customer, flutterwave: Customer, fincra: Customer):
    answers = [
        paystack.http.get("/bank/resolve", params={"account_number": "9999999999", "bank_code": "057"}),
        flutterwave.http.post("/accounts/resolve", json={"account_number": "9999999999", "account_bank": "057"}),
        fincra.http.post("/core/accounts/resolve", json={"accountNumber": "9999999999", "bankCode": "057"}),
    ]
    assert [answer.status_code for answer in answers] == [422, 400, 422]


def test_a_path_that_there_is_not_is_not_found(sim: Simulator, customer: Customer):
    assert customer.http.get("/nothing").status_code == 404
    assert web.get(f"{sim.url}/nothing").status_code == 404


def test_the_business_says_who_it_is(fincra: Customer):
    assert fincra.http.get("/profile/business/me").json()["data"]["_id"] == BUSINESS
