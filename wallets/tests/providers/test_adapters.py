"""Each adapter over real sockets, against a server that misbehaves."""

import json
import os
from uuid import UUID

import pytest

from wallets.providers import outcomes, transport
from wallets.providers.fincra import adapter as fincra
from wallets.providers.flutterwave import adapter as flutterwave
from wallets.providers.outcomes import Refused
from wallets.providers.paystack import adapter as paystack
from wallets.providers.port import (
    AccountNotResolved,
    DepositIntent,
    InvalidSignature,
    NotSupported,
    PayoutOrder,
    ProviderUnavailable,
    RemoteStatus,
    SubmitOutcome,
)
from wallets.providers.references import deposit_reference
from wallets.tests.providers import examples
from wallets.tests.providers.conftest import OPTIONS, make
from wallets.tests.providers.examples import DEPOSIT, REFERENCE
from wallets.tests.providers.server import answer, drip, half, html, reset, silence, unused_address

ORDER = PayoutOrder(REFERENCE, 250050, "NGN", "058", "0690000031", "Amina Bello", "Wallet withdrawal", "RCP_abc")
INTENT = DepositIntent(DEPOSIT, 10000, "NGN", "amina@example.com", "Amina", "https://w.example/back")
ACCEPTED = {
    "paystack": examples.paystack_transfer(),
    "flutterwave": examples.flutterwave(examples.flutterwave_transfer()),
    "fincra": examples.fincra_payout(),
}
FOUND = ACCEPTED | {"flutterwave": examples.flutterwave([examples.flutterwave_transfer("PENDING")])}
REFUSED = {
    "paystack": examples.paystack_error("Your balance is not enough to fulfill this request"),
    "flutterwave": examples.flutterwave_error("Insufficient funds"),
    "fincra": examples.fincra_error("NO_ENOUGH_MONEY_IN_WALLET"),
}
PATIENCE = {paystack: 30.0, flutterwave: 60.0, fincra: 60.0}


@pytest.fixture(params=sorted(OPTIONS))
def slug(request):
    return request.param


@pytest.fixture
def bank(server, slug):
    return make(slug, server.url)


@pytest.fixture
def hurry(monkeypatch):
    """Waits are as short as a test."""
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(transport.Transport.call, "__kwdefaults__", {"seconds": 0.1})
    for module in PATIENCE:
        monkeypatch.setattr(module, "PAYOUT_SECONDS", 0.1)


def test_an_order_is_sent_once_and_accepted(server, bank, slug):
    server.will(answer(200, ACCEPTED[slug]))
    result = bank.submit_payout(ORDER)
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.provider_id
    (request,) = server.requests
    assert request.method == "POST"
    assert REFERENCE.encode() in request.body


@pytest.mark.parametrize(
    ("message", "about"),
    [
        ("Your balance is not enough to fulfill this request", Refused.FUNDS), ("Insufficient funds", Refused.FUNDS),
        ("DISBURSE FAILED: Insufficient funds in customer wallet", Refused.FUNDS),
        ("You don't have enough money in your wallet", Refused.FUNDS), ("Insufficient information", Refused.ORDER),
        ("The reference exists already", Refused.DUPLICATE), ("Fundamo is not enough of a bank", Refused.ORDER),
        ("Insufficient funds; the reference was used", Refused.DUPLICATE), ("", Refused.ORDER),
    ],
)  # fmt: skip
def test_a_refusal_is_about_what_its_words_say(message, about):
    assert outcomes.about(message) is about


def test_an_order_is_refused(server, bank, slug):
    server.will(answer(400, REFUSED[slug]))
    result = bank.submit_payout(ORDER)
    assert (result.outcome, result.underfunded) == (SubmitOutcome.REJECTED, True)


def test_an_order_to_nobody_isnt_sent(slug):
    bank = make(slug, unused_address())
    assert bank.submit_payout(ORDER).outcome is SubmitOutcome.NOT_SENT
    assert bank.query_payout(REFERENCE, "").status is RemoteStatus.UNKNOWN
    assert bank.query_deposit(DEPOSIT, "").status is RemoteStatus.UNKNOWN


def test_an_order_when_they_are_busy_isnt_sent(server, bank):
    server.will(answer(429, {"message": "API rate limit exceeded"}, Retry_After="3"))
    result = bank.submit_payout(ORDER)
    assert (result.outcome, result.retry_after) == (SubmitOutcome.NOT_SENT, 3.0)


BAD = [
    silence(),
    reset,
    half,
    drip,
    html(200),
    html(502),
    html(404),
    answer(503, {}),
    answer(200, {}),
    answer(302, {}, Location="/x"),
]


@pytest.mark.parametrize("behaviour", BAD)
def test_an_unclear_answer_leaves_the_order_unknown_and_is_never_tried_again(server, bank, behaviour, hurry):
    server.will(behaviour)
    assert bank.submit_payout(ORDER).outcome is SubmitOutcome.UNKNOWN
    assert len(server.requests) == 1


@pytest.mark.parametrize("behaviour", BAD)
def test_an_unclear_answer_tells_nothing_of_what_became_of_it(server, bank, behaviour, hurry):
    server.will(behaviour)
    assert bank.query_payout(REFERENCE, "").status is RemoteStatus.UNKNOWN
    assert bank.query_deposit(DEPOSIT, "").status is RemoteStatus.UNKNOWN


@pytest.mark.parametrize("behaviour", [*BAD, answer(401, {}), answer(429, {}), answer(200, {"data": []})])
def test_questions_that_move_no_money_say_that_they_are_unavailable(server, bank, behaviour, hurry):
    server.will(behaviour)
    for ask in (
        lambda: bank.resolve_account("058", "0690000031"), lambda: bank.start_deposit(INTENT),
        lambda: bank.list_banks("NG", "NGN"), lambda: bank.fetch_balances("NGN"),
    ):  # fmt: skip
        with pytest.raises(ProviderUnavailable):
            ask()


def test_an_order_is_asked_about_by_our_reference(server, bank, slug):
    server.will(answer(200, FOUND[slug]))
    state = bank.query_payout(REFERENCE, "")
    assert (state.status, state.amount, state.currency) == (RemoteStatus.PENDING, 250050, "NGN")
    assert REFERENCE in server.requests[0].path


def test_an_order_that_cant_be_written_reaches_nobody(server, slug):
    order = PayoutOrder(REFERENCE, 2**60 + 1, "NGN", "058", "0690000031", "Amina Bello", "", "RCP_abc")
    result = make(slug, server.url).submit_payout(order)
    if slug == "fincra":
        # It takes text, in which every amount is exact.
        assert json.loads(server.requests[0].body)["amount"] == "11529215046068469.77"
    else:
        assert (result.outcome, server.requests) == (SubmitOutcome.REJECTED, [])


def test_a_checkout_that_cant_be_written_isnt_supported(server, bank):
    with pytest.raises(NotSupported):
        bank.start_deposit(DepositIntent(DEPOSIT, 2**60 + 1, "NGN", "a@example.com", "A", ""))
    assert server.requests == []


def test_a_reference_is_made_of_the_withdrawal_and_the_attempt_alone(bank):
    id = UUID("0123456789abcdef0123456789abcdef")
    assert bank.payout_reference(id, 1) == REFERENCE
    assert deposit_reference(id) == DEPOSIT


def test_a_webhook_that_isnt_signed_is_refused(bank):
    with pytest.raises(InvalidSignature):
        bank.verify_webhook({}, b"{}")


def test_a_process_doesnt_share_connections_with_the_one_it_was_forked_from(server, bank, slug, monkeypatch):
    server.will(answer(200, FOUND[slug]))
    bank.query_payout(REFERENCE, "")
    before = bank._api._pool
    bank.query_payout(REFERENCE, "")
    assert bank._api._pool is before
    monkeypatch.setattr(os, "getpid", lambda: -1)
    bank.query_payout(REFERENCE, "")
    assert bank._api._pool is not before


@pytest.mark.parametrize(("module", "seconds"), PATIENCE.items())
def test_payouts_are_waited_for_as_long_as_the_provider_takes(module, seconds):
    assert seconds == module.PAYOUT_SECONDS


def test_paystack_lists_every_page_of_banks(server):
    pages = [
        {"status": True, "data": [{"code": code, "name": "B"}], "meta": {"next": cursor}}
        for code, cursor in (("044", "c1"), ("058", None))
    ]
    server.will(*(answer(200, page) for page in pages))
    assert [bank.code for bank in make("paystack", server.url).list_banks("NG", "NGN")] == ["044", "058"]
    first, second = (request.path for request in server.requests)
    assert "next" not in first.replace("next=c1", "")
    assert "next=c1" in second
    assert "country=nigeria" in first


def test_paystack_that_pages_for_ever_is_left(server):
    server.will(answer(200, {"status": True, "data": [], "meta": {"next": "again"}}))
    make("paystack", server.url).list_banks("NG", "NGN")
    assert len(server.requests) == paystack.MOST_PAGES


def test_paystack_makes_a_recipient_and_the_others_need_none(server, bank, slug):
    server.will(
        answer(201, {"status": True, "data": {"recipient_code": "RCP_a", "details": {"account_number": "0690000031"}}})
    )
    assert bank.ensure_recipient("058", "0690000031", "Amina", "NGN") == ("RCP_a" if slug == "paystack" else "")


def test_paystack_refuses_an_account_in_a_currency_that_it_doesnt_pay(server):
    with pytest.raises(AccountNotResolved, match="NGN"):
        make("paystack", server.url).ensure_recipient("058", "0690000031", "Amina", "JPY")
    assert server.requests == []


def test_fincra_is_told_whose_wallets_and_checkouts(server):
    bank = make("fincra", server.url)
    server.will(
        answer(200, {"success": True, "data": []}),
        answer(200, {"status": True, "data": {"link": "https://c.example/1"}}),
    )
    bank.fetch_balances("NGN")
    bank.start_deposit(INTENT)
    balances, checkout = server.requests
    assert "businessID=64f1c2a4b7d9e30012ab4567" in balances.path
    assert balances.headers["api-key"] == "fincra-example"
    assert (checkout.headers["x-pub-key"], checkout.headers["x-business-id"]) == (
        "pk-example",
        "64f1c2a4b7d9e30012ab4567",
    )
