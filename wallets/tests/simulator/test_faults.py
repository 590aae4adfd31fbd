"""Each fault at least once, for each provider."""

import time
from typing import Any

import httpx
import pytest

from wallets.simulator.faults import Kind
from wallets.simulator.magic import MAGIC
from wallets.simulator.server import Simulator
from wallets.tests.simulator.conftest import Customer, transfer, wdr

STEPS_LATE = ["pending", "success", "reversed"]


def lost(customer: Customer, reference: str) -> bool:
    """Whether the answer to an order was lost: none came, none could be read, or one that says nothing."""
    try:
        answer = customer.order(reference)
        answer.json()
    except (httpx.TransportError, ValueError):
        return True
    return answer.status_code >= 500


@pytest.fixture
def hasty(customer: Customer) -> Customer:
    customer.http.timeout = httpx.Timeout(0.2)
    return customer


@pytest.mark.parametrize("kind", ["timeout", "reset", "error", "html"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_is_lost_before_or_after_the_order_was_taken(sim: Simulator, hasty: Customer, kind: str, when: str):
    sim.fault(kind, when=when, times=1)
    assert lost(hasty, wdr(1))
    assert (hasty.find(wdr(1)) is not None) == (when == "after")
    assert hasty.order(wdr(1)).status_code == (400 if when == "after" else 200)


def test_a_timeout_says_nothing_and_a_reset_hangs_up(sim: Simulator, hasty: Customer):
    sim.fault("timeout", times=1)
    with pytest.raises(httpx.ReadTimeout):
        hasty.order(wdr(1))
    sim.fault("reset", times=1)
    with pytest.raises(httpx.ReadError):
        hasty.order(wdr(2))


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_has_the_providers_own_body(sim: Simulator, customer: Customer, status: int):
    sim.fault("error", status=status, times=1)
    answer = customer.order(wdr(1))
    assert answer.status_code == status
    said = {"paystack": "code", "flutterwave": "message", "fincra": "errorType"}[customer.provider]
    assert answer.json()[said] in {
        "unknown", "An error occurred. Please contact support", "SERVICE_UNAVAILABLE", "INTERNAL_SERVER_ERROR",
    }  # fmt: skip


def test_half_of_an_answer_can_not_be_read(sim: Simulator, customer: Customer):
    sim.fault("truncated", times=1)
    answer = customer.order(wdr(1))
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    assert customer.find(wdr(1))


def test_html_comes_with_200(sim: Simulator, customer: Customer):
    sim.fault("html", times=1)
    answer = customer.order(wdr(1))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def test_too_many_calls_are_told_when_to_come_again(sim: Simulator, customer: Customer):
    sim.fault("rate_limit", times=1, seconds=7)
    answer = customer.order(wdr(1))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert customer.find(wdr(1)) is None


def test_a_slow_answer_comes(sim: Simulator, customer: Customer):
    sim.fault("slow", seconds=0.3, times=1)
    began = time.monotonic()
    assert customer.order(wdr(1)).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_transfer_is_hidden_for_seconds(sim: Simulator, customer: Customer):
    sim.fault("hidden", seconds=60)
    customer.order(wdr(1))
    assert customer.find(wdr(1)) is None
    assert customer.order(wdr(1)).status_code == 400
    sim.advance(60)
    assert customer.find(wdr(1))


def test_a_transfer_is_hidden_for_calls(sim: Simulator, customer: Customer):
    sim.fault("hidden", times=2)
    customer.order(wdr(1))
    assert [bool(customer.find(wdr(1))) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(("until", "told"), [({"times": 2}, [0, 0, 1]), ({"seconds": 60}, [0, 0, 0])])
def test_a_fee_isnt_told_for_a_while(sim: Simulator, customer: Customer, until: dict[str, int], told: list[int]):
    sim.fault("fee_untold", **until)
    customer.order(wdr(1))
    member = "fee_charged" if customer.provider == "paystack" else "fee"
    assert [bool(customer.find(wdr(1))[member]) for _ in range(3)] == [bool(one) for one in told]
    sim.advance(60)
    assert customer.find(wdr(1))[member]


def test_a_transfer_waits_for_an_otp_for_ever(sim: Simulator, customer: Customer):
    sim.fault("otp")
    customer.order(wdr(1))
    sim.advance(1000)
    if customer.provider == "flutterwave":
        assert (customer.find(wdr(1))["requires_approval"], customer.find(wdr(1))["is_approved"]) == (1, 0)
    else:
        assert customer.word(wdr(1)) == {"paystack": "otp", "fincra": "processing"}[customer.provider]


def test_a_transfer_waits_for_approval_for_ever(sim: Simulator, customer: Customer):
    sim.fault("approval")
    customer.order(wdr(1))
    sim.advance(100_000)
    assert (
        customer.word(wdr(1))
        == {"paystack": "received", "flutterwave": "new", "fincra": "processing"}[customer.provider]
    )


def test_a_transfer_is_pending_for_ever(sim: Simulator, customer: Customer):
    sim.fault("stuck")
    customer.order(wdr(1))
    sim.advance(100_000)
    assert customer.word(wdr(1)) in ("pending", "processing")


def test_a_transfer_fails_and_the_money_is_back(sim: Simulator, customer: Customer):
    before = customer.available()
    sim.fault("failed")
    customer.order(wdr(1))
    assert customer.available() < before
    sim.advance(10)
    assert (customer.word(wdr(1)), customer.available()) == ("failed", before)


def test_a_transfer_fails_in_the_answer_to_the_order(sim: Simulator, customer: Customer):
    sim.fault("failed_at_once")
    answer = customer.order(wdr(1))
    assert (answer.status_code, answer.json()["data"]["status"].lower()) == (200, "failed")


def test_a_success_is_reversed_later(sim: Simulator, customer: Customer):
    before = customer.available()
    sim.fault("reversed", seconds=3600)
    customer.order(wdr(1))
    sim.advance(10)
    assert customer.word(wdr(1)) == "success"
    sim.advance(3600)
    assert customer.word(wdr(1)) == ("reversed" if customer.provider == "paystack" else "failed")
    assert customer.available() == before
    assert [step["state"] for step in transfer(sim, wdr(1))["history"]] == STEPS_LATE


def test_a_status_is_said_that_nobody_documented(sim: Simulator, customer: Customer):
    sim.fault("undocumented", word="queued", times=1)
    sim.fault("reversed", word="returned")
    customer.order(wdr(1))
    customer.order(wdr(2))
    sim.advance(100)
    assert [customer.word(wdr(1)), customer.word(wdr(2))] == ["queued", "returned"]


@pytest.mark.parametrize(("amount", "said"), [(None, 101), ("7.5", 7.5)])
def test_another_amount_is_said_than_was_paid(sim: Simulator, customer: Customer, amount: str | None, said: float):
    sim.fault("wrong_amount", amount=amount)
    customer.order(wdr(1), amount=100)
    told = customer.find(wdr(1))
    value = told["amountReceived"] if customer.provider == "fincra" else told["amount"]
    assert value == (said * 100 if customer.provider == "paystack" else said)
    assert transfer(sim, wdr(1))["amount"] == "100"


def test_another_currency_is_said_than_was_paid(sim: Simulator, customer: Customer):
    sim.fault("wrong_currency", currency="GHS")
    customer.order(wdr(1))
    told = customer.find(wdr(1))
    assert told["destinationCurrency" if customer.provider == "fincra" else "currency"] == "GHS"
    assert transfer(sim, wdr(1))["currency"] == "NGN"


@pytest.mark.parametrize("kind", ["insufficient", "refused"])
def test_an_order_is_refused_and_nothing_comes_of_it(sim: Simulator, customer: Customer, kind: str):
    sim.fault(kind, times=1)
    assert 400 <= customer.order(wdr(1)).status_code < 500
    assert customer.find(wdr(1)) is None
    assert customer.order(wdr(1)).status_code == 200


def test_a_new_reference_is_said_to_be_a_duplicate(sim: Simulator, customer: Customer):
    sim.fault("says_duplicate", times=1)
    assert "eference" in customer.order(wdr(1)).text
    assert customer.find(wdr(1)) is None


def test_flutterwave_can_be_made_to_pay_a_reference_twice(sim: Simulator, flutterwave: Customer):
    assert flutterwave.order(wdr(1)).status_code == 200
    assert flutterwave.order(wdr(1)).status_code == 400
    sim.fault("pays_twice", provider="flutterwave")
    assert flutterwave.order(wdr(1)).status_code == 200
    sim.advance(10)
    assert [row["status"] for row in flutterwave.query(wdr(1)).json()["data"]] == ["SUCCESSFUL"] * 2
    assert [row["times_paid"] for row in sim.books(wdr(1))["transfers"]] == [2, 2]


@pytest.mark.parametrize(
    ("fits", "fits_not"),
    [
        ({"reference": wdr(1)}, {"reference": wdr(2)}),
        ({"account": "0000000000"}, {"account": "0000000010"}),
        ({"operation": "send"}, {"operation": "query"}),
        ({"provider": "fincra"}, {"provider": "paystack"}),
    ],
)
def test_a_fault_is_for_the_calls_that_it_names(sim: Simulator, fincra: Customer, fits: Any, fits_not: Any):
    sim.fault("error", **fits_not)
    assert fincra.order(wdr(1)).status_code == 200
    sim.fault("error", **fits)
    assert fincra.order(wdr(1)).status_code == 503


def test_a_question_can_go_wrong_too(sim: Simulator, customer: Customer):
    customer.order(wdr(1))
    sim.fault("error", operation="query", times=1)
    assert [customer.query(wdr(1)).status_code for _ in range(2)] == [503, 200]


def test_a_fault_happens_as_often_as_it_was_told(sim: Simulator, customer: Customer):
    sim.fault("error", when="before", times=2)
    assert [customer.order(wdr(1)).status_code for _ in range(3)] == [503, 503, 200]


def test_healing_takes_every_fault_back(sim: Simulator, customer: Customer):
    sim.fault("error")
    sim.heal()
    assert customer.order(wdr(1)).status_code == 200


def test_a_wrong_key_is_refused_before_anything_goes_wrong(sim: Simulator, customer: Customer):
    sim.fault("error", operation="any", times=1)
    customer.http.headers.update({"Authorization": "Bearer x", "api-key": "x"})
    assert customer.query(wdr(1)).status_code == 401
    assert [one.left for one in sim.faults.commanded()] == [1]


@pytest.mark.parametrize("account", sorted(MAGIC))
def test_account_numbers_stand_for_faults(sim: Simulator, flutterwave: Customer, account: str):
    flutterwave.http.timeout = httpx.Timeout(0.2)
    expected = {fault.kind for fault in MAGIC[account] if fault.provider in ("", "flutterwave")}
    try:
        answer: httpx.Response | None = flutterwave.order(wdr(1), account)
    except httpx.TransportError:
        answer = None
    assert (answer is None) == bool(expected & {Kind.TIMEOUT, Kind.RESET, Kind.SLOW})
    if expected & {Kind.REFUSED, Kind.INSUFFICIENT}:
        assert answer is not None and answer.status_code == 400
        return
    if answer is None or answer.status_code != 200:
        # What goes wrong with the answer goes wrong once: the second attempt goes through, or finds the first.
        assert flutterwave.order(wdr(1), account).status_code in (200, 400)
    sim.advance(60)
    stays = expected & {Kind.STUCK, Kind.OTP, Kind.APPROVAL, Kind.UNDOCUMENTED}
    fails = expected & {Kind.FAILED, Kind.FAILED_AT_ONCE, Kind.REVERSED}
    assert (flutterwave.word(wdr(1)) in ("pending", "new", "queued")) == bool(stays)
    assert (flutterwave.word(wdr(1)) == "failed") == bool(fails)
