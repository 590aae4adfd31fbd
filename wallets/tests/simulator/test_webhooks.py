"""What is told, how it is signed, and how often."""

import hashlib
import hmac

import pytest

from wallets.simulator.keys import Keys
from wallets.simulator.server import Simulator, simulating
from wallets.tests.simulator.conftest import Customer, Inbox, Received, until, wdr, web

PAYSTACK_BODY = (
    b'{"event":"transfer.success","data":{"id":71,"reference":"wd_0123456789abcdef0123456789abcdef_1",'
    b'"amount":250000,"currency":"NGN","status":"success"}}'
)
FINCRA_BODY = (
    '{"event":"payout.successful","data":{"id":9001,"amountReceived":2500.5,"reference":"f-1",'
    '"customerReference":"wd_0123456789abcdef0123456789abcdef_1","status":"successful","recipient":{"name":"Zoë"}}}'
).encode()


def genuine(event: Received) -> bool:
    """Whether the provider signed it."""
    if "verif-hash" in event.headers:
        return event.headers["verif-hash"] == "simulator-secret-hash"
    given = event.headers.get("x-paystack-signature") or event.headers["signature"]
    key = b"sk_test_simulator" if "x-paystack-signature" in event.headers else b"fincra-simulator-webhook"
    return hmac.compare_digest(given, hmac.new(key, event.raw, hashlib.sha512).hexdigest())


def statuses(events: list[Received]) -> list[str]:
    return [event.body["data"]["status"].lower().removesuffix("ful") for event in events]


def test_signatures_are_those_of_the_providers_documentation():
    with simulating(keys=Keys(paystack_secret="sk_test_example", fincra_webhook="fincra_whsec_example")) as sim:
        paystack = sim.faces["paystack"].signature(PAYSTACK_BODY)["x-paystack-signature"]
        fincra = sim.faces["fincra"].signature(FINCRA_BODY)["signature"]
    assert paystack == (
        "0ab5f26d4b1e9753d95154c767ef1a9c3345ebb5b427df44c3e5e51d579207ee"
        "1d148bc1f590b83aceff1a685f25c1906567b9be4f11ae944c097608321f7521"
    )
    assert fincra == (
        "964393d0166a800c3588ffa36353f4b9bb90b515979b2a80171ae80ab3df4d39"
        "2f046b4e0d4b4100915fbd29db62830ad98c66c14a61315b0a6812a25b86ec81"
    )


def test_a_payment_is_told_once_and_signed(sim: Simulator, inbox: Inbox, customer: Customer):
    customer.order(wdr(1))
    sim.advance(10)
    (event,) = inbox.wait(1)
    assert (event.path, genuine(event)) == (f"/hooks/{customer.provider}", True)
    assert statuses([event]) == ["success"]
    assert wdr(1) in event.raw.decode()


def test_only_200_counts_and_anything_else_is_told_again(sim: Simulator, inbox: Inbox, paystack: Customer):
    inbox.answers = [201, 500]
    paystack.order(wdr(1))
    sim.advance(10)
    for count in (1, 2):
        inbox.wait(count)
        until(lambda count=count: sim.books()["deliveries"][0]["attempts"] == count)
        sim.advance(180 / 600)
    assert len({event.raw for event in inbox.wait(3)}) == 1
    until(lambda: sim.books()["deliveries"][0]["outcome"] == "delivered")


def test_fincra_does_not_try_again(sim: Simulator, inbox: Inbox, fincra: Customer):
    inbox.answers = [500]
    fincra.order(wdr(1))
    sim.advance(10)
    until(lambda: [one["outcome"] for one in sim.books()["deliveries"]] == ["given up"])


def test_a_receiver_that_is_not_there_is_tried_again(sim: Simulator, inbox: Inbox, flutterwave: Customer):
    sim.webhooks.receiver = "http://127.0.0.1:1/"
    flutterwave.order(wdr(1))
    sim.advance(10)
    until(lambda: sim.books()["deliveries"][0]["attempts"] == 1)
    sim.webhooks.receiver = inbox.url
    sim.advance(3)
    inbox.wait(1)


def test_a_webhook_never_comes(sim: Simulator, inbox: Inbox, customer: Customer):
    sim.fault("webhook_missing", reference=wdr(1))
    for number in (1, 2):
        customer.order(wdr(number))
    sim.advance(10)
    assert [wdr(2) in event.raw.decode() for event in inbox.wait(1)] == [True]
    until(lambda: [one["outcome"] for one in sim.books()["deliveries"]] == ["suppressed", "delivered"])


def test_a_webhook_comes_twice(sim: Simulator, inbox: Inbox, customer: Customer):
    sim.fault("webhook_duplicate")
    customer.order(wdr(1))
    sim.advance(10)
    first, second = inbox.wait(2)
    assert (first.raw, genuine(second)) == (second.raw, True)


def test_webhooks_come_in_the_wrong_order(sim: Simulator, inbox: Inbox, customer: Customer):
    sim.fault("reversed", seconds=5)
    sim.fault("webhook_reordered")
    customer.order(wdr(1))
    sim.advance(10)
    sim.advance(5)
    until(lambda: len(inbox.received) == 1)
    sim.advance(1)
    last = "reversed" if customer.provider == "paystack" else "failed"
    assert statuses(inbox.wait(2)) == [last, "success"]


def test_a_webhook_that_waits_for_another_comes_alone_at_last(sim: Simulator, inbox: Inbox, customer: Customer):
    sim.fault("webhook_reordered")
    customer.order(wdr(1))
    sim.advance(10)
    sim.advance(29)
    assert inbox.received == []
    sim.advance(1)
    inbox.wait(1)


def test_a_webhook_is_late(sim: Simulator, inbox: Inbox, customer: Customer):
    sim.fault("webhook_late", seconds=100)
    customer.order(wdr(1))
    sim.advance(10)
    sim.advance(99)
    assert inbox.received == []
    sim.advance(1)
    inbox.wait(1)


def test_somebody_else_says_that_it_was_paid(sim: Simulator, inbox: Inbox, customer: Customer):
    sim.fault("webhook_forged")
    sim.fault("stuck")
    customer.order(wdr(1))
    (event,) = inbox.wait(1)
    assert (genuine(event), statuses([event])) == (False, ["success"])
    assert customer.word(wdr(1)) in ("pending", "processing")


def test_somebody_else_says_that_a_checkout_was_paid(sim: Simulator, inbox: Inbox, customer: Customer):
    sim.fault("webhook_forged")
    customer.check_out("dep-1")
    (event,) = inbox.wait(1)
    assert (genuine(event), statuses([event])) == (False, ["success"])


@pytest.mark.parametrize("forged", [True, False])
def test_anything_can_be_sent_on_command(sim: Simulator, inbox: Inbox, customer: Customer, forged: bool):
    body = {"provider": customer.provider, "body": {"event": "x", "data": {"a": 1.5}}, "forged": forged, "times": 3}
    assert web.post(f"{sim.url}/_control/webhooks", json=body).status_code == 202
    assert [genuine(event) for event in inbox.wait(3)] == [not forged] * 3


def test_without_a_receiver_nothing_is_sent(sim: Simulator, inbox: Inbox, customer: Customer):
    sim.webhooks.receiver = ""
    customer.order(wdr(1))
    sim.advance(10)
    assert [one["outcome"] for one in sim.books()["deliveries"]] == ["no receiver"]
