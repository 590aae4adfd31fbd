"""What becomes of an order that nothing goes wrong with, and of one that can't be taken."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from wallets.simulator.amounts import MILLION
from wallets.simulator.server import Simulator
from wallets.tests.simulator.conftest import GOOD, Customer, transfer, wdr

FEES = {"paystack": 25, "flutterwave": 26.875, "fincra": 50}
DUPLICATE = {
    "paystack": (400, "code", "duplicate_transfer_reference"),
    "flutterwave": (400, "message", "Transfer with this reference already exists"),
    "fincra": (400, "errorType", "DUPLICATE_CUSTOMER_REFERENCE"),
}
INSUFFICIENT = {
    "paystack": ("message", "Your balance is not enough to fulfill this request"),
    "flutterwave": ("message", "Insufficient balance to complete this transaction"),
    "fincra": ("errorType", "NO_ENOUGH_MONEY_IN_WALLET"),
}


def test_an_order_is_pending_until_it_is_paid(sim: Simulator, customer: Customer):
    customer.order(wdr(1))
    assert customer.word(wdr(1)) in ("pending", "processing")
    sim.advance(10)
    assert customer.word(wdr(1)) == "success"
    assert [step["state"] for step in transfer(sim, wdr(1))["history"]] == ["pending", "success"]


def test_the_balance_falls_by_the_amount_and_the_fee_at_once(sim: Simulator, customer: Customer):
    before = customer.available()
    customer.order(wdr(1), amount=100)
    assert customer.available() == before - 100 - int(FEES[customer.provider] * 1000) / 1000
    after = customer.available()
    sim.advance(10)
    assert customer.available() == after


@pytest.mark.parametrize("returns", [True, False])
def test_a_payout_that_comes_back_brings_its_fee_or_leaves_it(sim: Simulator, customer: Customer, returns: bool):
    before = customer.available()
    sim.bank.fees[customer.provider], sim.bank.returns_fees = 7 * MILLION, returns
    sim.fault("reversed", seconds=0)
    customer.order(wdr(1), amount=100)
    assert customer.available() == before - 107
    sim.advance(10)
    assert customer.available() == before - (0 if returns else 7)


def test_a_reference_is_taken_once(sim: Simulator, customer: Customer):
    customer.order(wdr(1))
    status, member, value = DUPLICATE[customer.provider]
    again = customer.order(wdr(1))
    assert (again.status_code, again.json()[member]) == (status, value)
    sim.advance(10)
    assert transfer(sim, wdr(1))["times_paid"] == 1


def test_a_reference_is_taken_once_from_eight_threads(sim: Simulator, customer: Customer):
    customer.recipient(GOOD) if customer.provider == "paystack" else None
    with ThreadPoolExecutor(8) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda _: customer.order(wdr(1)), range(40))]
    assert sorted(statuses) == [200] + [400] * 39
    sim.advance(10)
    assert transfer(sim, wdr(1))["times_paid"] == 1


def test_two_providers_take_the_same_reference(sim: Simulator, paystack: Customer, fincra: Customer):
    assert paystack.order(wdr(1)).status_code == fincra.order(wdr(1)).status_code == 200


def test_more_than_there_is_is_refused_and_leaves_no_trace(sim: Simulator, customer: Customer):
    member, value = INSUFFICIENT[customer.provider]
    refused = customer.order(wdr(1), amount=10_000_000)
    assert (refused.status_code, refused.json()[member]) == (400, value)
    assert customer.find(wdr(1)) is None
    assert customer.order(wdr(1), amount=10).status_code == 200


def test_an_order_that_nobody_gave_is_not_found(customer: Customer):
    answer = customer.query(wdr(1))
    if customer.provider == "flutterwave":
        assert (answer.status_code, answer.json()["data"]) == (200, [])
    else:
        assert answer.status_code == 404


def test_fincra_locks_what_a_pending_payout_will_take(sim: Simulator, fincra: Customer):
    fincra.order(wdr(1), amount=100)
    wallet = fincra.http.get("/wallets", params={"businessID": "64f1c2a4b7d9e30012ab4567", "currency": "NGN"}).json()
    figures = [wallet["data"][0][name] for name in ("ledgerBalance", "availableBalance", "lockedBalance")]
    assert figures == [10_000_000, 9_999_850, 150]


def test_flutterwaves_sandbox_endings_steer(sim: Simulator, flutterwave: Customer):
    flutterwave.order(wdr(1) + "_PMCK")
    flutterwave.order(wdr(2) + "_PMCK_ST_F")
    sim.advance(10)
    assert [flutterwave.word(wdr(1) + "_PMCK"), flutterwave.word(wdr(2) + "_PMCK_ST_F")] == ["success", "failed"]


def test_flutterwaves_filter_also_finds_references_that_only_begin_so(flutterwave: Customer):
    flutterwave.order("wdr_1")
    flutterwave.order("wdr_10")
    assert [row["reference"] for row in flutterwave.query("wdr_1").json()["data"]] == ["wdr_1", "wdr_10"]


@pytest.mark.parametrize("account", ["9999999999", "12345", "12345678x0"])
def test_an_account_that_nobody_has_is_refused(flutterwave: Customer, fincra: Customer, account: str):
    assert flutterwave.order(wdr(1), account).status_code == 400
    assert fincra.order(wdr(1), account).json()["errorType"] == "ACCOUNT_RESOLVE_FAILED"


def test_the_same_account_is_the_same_recipient(paystack: Customer):
    assert paystack.recipient(GOOD) == paystack.recipient(GOOD) != paystack.recipient("0000000010")


def test_an_otp_of_a_person_finishes_a_paystack_transfer(sim: Simulator, paystack: Customer):
    sim.fault("otp")
    code = paystack.order(wdr(1)).json()["data"]["transfer_code"]
    wrong = paystack.http.post("/transfer/finalize_transfer", json={"transfer_code": code, "otp": "000000"})
    right = paystack.http.post("/transfer/finalize_transfer", json={"transfer_code": code, "otp": "123456"})
    assert (wrong.status_code, right.json()["data"]["status"]) == (400, "success")


def test_an_otp_that_nobody_gives_abandons_a_paystack_transfer(sim: Simulator, paystack: Customer):
    sim.fault("otp")
    before = paystack.available()
    paystack.order(wdr(1))
    sim.advance(1800)
    assert (paystack.word(wdr(1)), paystack.available()) == ("abandoned", before)
