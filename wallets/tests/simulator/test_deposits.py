"""Checkouts and money that comes by itself."""

from typing import Any

import httpx
import pytest

from wallets.simulator.server import Simulator
from wallets.tests.simulator.conftest import Customer, Inbox, web

DEP = "dep-0123456789abcdef0123456789abcdef"
NOT_YET = {"paystack": (200, "abandoned"), "flutterwave": (400, None), "fincra": (200, "pending")}
KEPT = {"paystack": 150, "flutterwave": 0, "fincra": 150}


def said(answer: httpx.Response) -> Any:
    data = answer.json().get("data")
    return data and data["status"].removesuffix("ful")


def test_a_person_pays_and_is_sent_back(sim: Simulator, customer: Customer):
    before = customer.available()
    link = customer.link(DEP, 10_000, "https://shop.example/back?a=1")
    page = web.get(link)
    assert (page.status_code, "10,000.00 NGN" in page.text, "Pay</button>" in page.text) == (200, True, True)
    paid = web.post(f"{link}/pay")
    assert paid.status_code == 303
    assert paid.headers["location"].startswith("https://shop.example/back?a=1&")
    assert DEP in paid.headers["location"]
    assert said(customer.deposit(DEP)) == "success"
    assert customer.available() == before + 10_000 - KEPT[customer.provider]


def test_a_checkout_that_nobody_paid_is_open(customer: Customer):
    customer.link(DEP)
    answer = customer.deposit(DEP)
    assert (answer.status_code, said(answer)) == NOT_YET[customer.provider]


def test_a_person_fails_to_pay(sim: Simulator, customer: Customer):
    before = customer.available()
    link = customer.link(DEP)
    assert "Not paid" in web.post(f"{link}/fail").text
    assert (said(customer.deposit(DEP)), customer.available()) == ("failed", before)


def test_a_checkout_is_paid_once(sim: Simulator, customer: Customer):
    link = customer.link(DEP)
    web.post(f"{link}/pay")
    once = customer.available()
    web.post(f"{link}/pay")
    web.post(f"{link}/fail")
    assert (said(customer.deposit(DEP)), customer.available()) == ("success", once)


def test_a_reference_opens_one_checkout(customer: Customer):
    assert [customer.check_out(DEP).status_code for _ in range(2)] == [200, 400]


def test_a_checkout_that_there_is_not_is_not_found(sim: Simulator):
    assert web.get(f"{sim.url}/checkout/nothing").status_code == 404
    assert web.post(f"{sim.url}/checkout/nothing/pay").status_code == 404


def test_what_is_written_on_the_page_is_text(flutterwave: Customer):
    assert "<script>" not in web.get(flutterwave.link("<script>alert(1)</script>")).text


def test_another_amount_is_paid_than_was_asked(sim: Simulator, customer: Customer):
    sim.fault("wrong_amount", amount="99.5")
    web.post(f"{customer.link(DEP, 100)}/pay")
    amount = customer.deposit(DEP).json()["data"]["amount"]
    assert amount == (9950 if customer.provider == "paystack" else 99.5)


def test_another_currency_is_paid_than_was_asked(sim: Simulator, customer: Customer):
    sim.fault("wrong_currency", currency="GHS")
    web.post(f"{customer.link(DEP)}/pay")
    assert customer.deposit(DEP).json()["data"]["currency"] == "GHS"


def test_a_deposit_is_hidden_and_found_later(sim: Simulator, customer: Customer):
    web.post(f"{customer.link(DEP)}/pay")
    sim.fault("hidden", times=1)
    assert [customer.deposit(DEP).status_code < 400 for _ in range(2)] == [False, True]


def test_money_comes_by_itself(sim: Simulator, inbox: Inbox, customer: Customer):
    body = {"provider": customer.provider, "currency": "NGN", "amount": "5000", "reference": "ft-1"}
    assert web.post(f"{sim.url}/_control/deposits", json=body).status_code == 201
    (event,) = inbox.wait(1)
    assert event.body["event"] in ("charge.success", "charge.completed", "collection.successful")
    assert said(customer.deposit("ft-1")) == "success"


@pytest.mark.parametrize("provider", ["paystack"])
def test_fees_are_told(sim: Simulator, paystack: Customer, provider: str):
    web.post(f"{paystack.link(DEP, 10_000)}/pay")
    assert paystack.deposit(DEP).json()["data"]["fees"] == 15_000
