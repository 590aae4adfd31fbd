"""The sandbox bank: does what numbers and amounts say, keeps its own books, and signs what it tells."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from wallets.providers.port import (
    Capability,
    DepositIntent,
    InvalidSignature,
    PayoutOrder,
    ProviderUnavailable,
    RemoteStatus,
    SubmitOutcome,
)
from wallets.providers.sandbox import webhooks
from wallets.providing import provider
from wallets.sandbox_bank import books, checkouts, delivery

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def bank(clock):
    return provider("sandbox")


def order(number, amount=500, reference="wdr_x_1"):
    return PayoutOrder(reference, amount, "NGN", "058", number, "A", "x")


def intent(amount=500, reference="dep-x"):
    return DepositIntent(reference, amount, "NGN", "a@example.com", "Alice", "https://shop.example/back")


@pytest.mark.parametrize(
    ("number", "seen"),
    [
        ("0123456789", "pending succeeded succeeded"), ("0000000004", "pending pending pending"),
        ("0000000005", "pending failed failed"), ("0000000006", "pending succeeded succeeded"),
        ("0000000008", "action_required action_required action_required"),
        ("0000000009", "not_found not_found succeeded"), ("0000000010", "pending succeeded reversed"),
    ],
)  # fmt: skip
def test_an_account_number_says_what_happens(bank, clock, number, seen):
    bank.submit_payout(order(number))
    told = []
    for seconds in (0, 1, 6):
        clock.move_to(START + timedelta(seconds=seconds))
        told.append(bank.query_payout("wdr_x_1", "").status)
    assert told == [RemoteStatus(status) for status in seen.split()]


def test_one_account_is_paid_less_and_one_waits_for_a_person(bank, clock):
    assert bank.submit_payout(order("0000000008")).outcome == SubmitOutcome.ACTION_REQUIRED
    bank.submit_payout(order("0000000007", reference="wdr_y_1"))
    clock.move_to(START + timedelta(seconds=2))
    assert bank.query_payout("wdr_y_1", "").amount == 499


@pytest.mark.parametrize(("amount", "fee"), [(515, 15), (500, 0), (15, 0)])
def test_an_amount_says_what_the_bank_takes_for_a_payout(bank, clock, amount, fee):
    books.set_holding("NGN", 1_000, now=START)
    bank.submit_payout(order("0123456789", amount))
    assert bank.fetch_balances("NGN")[0].locked == Decimal(amount + fee) / 100
    clock.move_to(START + timedelta(seconds=2))
    assert bank.query_payout("wdr_x_1", "").fee == Decimal(fee) / 100
    assert bank.fetch_balances("NGN")[0].ledger == Decimal(1_000 - amount - fee) / 100


def test_it_can_all_that_the_port_asks(bank):
    assert bank.mode == "test"
    assert bank.capabilities == {Capability.UNIQUE_REFERENCE, Capability.BALANCES, Capability.CHECKOUT}
    assert bank.ensure_recipient("058", "0123456789", "A", "NGN") == ""


def test_its_books_are_what_was_paid_in_less_what_was_paid_out(bank, clock):
    books.set_holding("NGN", 10_000, now=START)
    bank.start_deposit(intent(1_015))
    checkouts.pay("dep-x", now=START)
    bank.submit_payout(order("0123456789", 300))
    bank.submit_payout(order("0000000004", 200, "wdr_y_1"))
    before = bank.fetch_balances("NGN")[0]
    assert (before.ledger, before.locked, before.available) == (Decimal("110.00"), Decimal("5.00"), Decimal("105.00"))
    clock.move_to(START + timedelta(seconds=2))
    after = bank.fetch_balances("NGN")[0]
    assert (after.ledger, after.locked, after.external_account_id) == (Decimal(107), Decimal(2), "sandbox:NGN")
    books.set_holding("NGN", 7, now=datetime.now(UTC))
    assert bank.fetch_balances("NGN")[0].ledger == Decimal("0.07")


@pytest.mark.parametrize(
    ("amount", "status", "paid", "fee"),
    [
        (500, RemoteStatus.SUCCEEDED, 500, 0), (501, RemoteStatus.FAILED, 0, 0), (504, RemoteStatus.PENDING, 504, 0),
        (507, RemoteStatus.SUCCEEDED, 506, 0), (515, RemoteStatus.SUCCEEDED, 515, Decimal("0.15")),
    ],
)  # fmt: skip
def test_an_amount_says_what_becomes_of_a_checkout(bank, amount, status, paid, fee):
    handle = bank.start_deposit(intent(amount))
    assert handle.checkout_url.endswith("/sandbox/checkout/dep-x")
    assert bank.query_deposit("dep-x", "").status == RemoteStatus.PENDING
    checkouts.pay("dep-x", now=START)
    found = bank.query_deposit("dep-x", "")
    assert (found.status, found.amount, found.fee) == (status, paid, fee)
    assert bank.query_deposit("", handle.provider_id) == found


def test_a_checkout_is_paid_or_refused_once(bank):
    bank.start_deposit(intent())
    checkouts.refuse("dep-x", now=START)
    checkouts.pay("dep-x", now=START)
    assert bank.query_deposit("dep-x", "").status == RemoteStatus.FAILED
    assert bank.query_deposit("dep-y", "").status == RemoteStatus.NOT_FOUND


def test_a_lost_answer_is_had_by_asking_again(bank):
    with pytest.raises(ProviderUnavailable):
        bank.start_deposit(intent(502))
    first, again = bank.start_deposit(intent(502)), bank.start_deposit(intent(502))
    assert first == again


def test_a_webhook_is_signed_and_read(bank):
    bank.start_deposit(intent())
    checkouts.pay("dep-x", now=START)
    body = delivery.notice("deposit", "dep-x", now=START)
    bank.verify_webhook({name.lower(): value for name, value in delivery.signed(body, now=START).items()}, body)
    (event,) = bank.parse_webhook(body)
    assert (event.kind, event.reference, event.hinted_status) == ("deposit", "dep-x", "paid")
    assert event.provider_id == bank.query_deposit("dep-x", "").provider_id


def test_secrets_rotate_and_old_deliveries_arent_played_back():
    now, body = int(time.time()), b"{}"
    by_old = webhooks.headers("old", now, body)
    webhooks.verify(["new", "old"], by_old, body, at=now)
    for secrets, at, sent in (
        (["new"], now, body), (["old"], now + 301, body), (["old"], now - 301, body), (["old"], now, b"{ }"),
        ([], now, body),
    ):  # fmt: skip
        with pytest.raises(InvalidSignature):
            webhooks.verify(secrets, by_old, sent, at=at)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b'{"id":1,"event":2,"data":3}', b"[" * 100_000, b"\xff"])
def test_what_cant_be_read_is_a_value_error(body):
    with pytest.raises(ValueError):
        webhooks.parse(body)
