import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from wallets.providers.outcomes import Unsendable
from wallets.providers.paystack import answers, webhooks, wire
from wallets.providers.port import (
    AccountNotResolved,
    Bank,
    DepositIntent,
    InvalidSignature,
    PayoutOrder,
    ProviderUnavailable,
)
from wallets.providers.port import RemoteStatus as Remote
from wallets.providers.port import SubmitOutcome as Outcome
from wallets.providers.transport import Lost, NotSent, Reply, decode
from wallets.tests.providers.examples import DEPOSIT, REFERENCE, paystack_error, paystack_transaction, paystack_transfer

NOW = datetime(2026, 1, 5, tzinfo=UTC)
DUPLICATE = paystack_error(
    "Please provide a unique reference. Reference already exists on a transfer", "duplicate_transfer_reference",
    meta={"nextStep": "Create a new reference for the new transfer"},
)  # fmt: skip
BALANCE = paystack_error("Your balance is not enough to fulfill this request")
KEY = paystack_error("Invalid key")

SUBMITTED = [
    (200, paystack_transfer("pending"), Outcome.ACCEPTED),
    (200, paystack_transfer("success"), Outcome.ACCEPTED),
    (201, paystack_transfer("pending"), Outcome.ACCEPTED),
    (200, paystack_transfer("failed"), Outcome.ACCEPTED),
    (200, paystack_transfer("reversed"), Outcome.ACCEPTED),
    (200, paystack_transfer("otp"), Outcome.ACTION_REQUIRED),
    (200, paystack_transfer("received"), Outcome.ACTION_REQUIRED),
    (200, paystack_transfer("queued"), Outcome.UNKNOWN),
    (200, paystack_transfer("pending", reference="wdr_another_reference"), Outcome.UNKNOWN),
    (200, paystack_transfer("pending", reference=None), Outcome.UNKNOWN),
    (200, {"status": True, "message": "Transfer has been queued"}, Outcome.UNKNOWN),
    (200, {"data": paystack_transfer()["data"]}, Outcome.UNKNOWN),
    (200, None, Outcome.UNKNOWN),
    (200, BALANCE, Outcome.REJECTED),
    (400, BALANCE, Outcome.REJECTED),
    (400, paystack_error("Recipient specified is invalid", "invalid_transfer_recipient"), Outcome.REJECTED),
    (404, paystack_error("Recipient not found"), Outcome.REJECTED),
    (400, paystack_error("Try again", type="processor_error"), Outcome.UNKNOWN),
    (400, DUPLICATE, Outcome.ALREADY_EXISTS),
    (200, DUPLICATE, Outcome.ALREADY_EXISTS),
    (409, DUPLICATE, Outcome.ALREADY_EXISTS),
    (400, paystack_error("Transfer reference was used before"), Outcome.ALREADY_EXISTS),
    (400, {"message": "No"}, Outcome.UNKNOWN),
    (400, None, Outcome.UNKNOWN),
    (401, KEY, Outcome.REJECTED),
    (403, paystack_error("IP not allowed"), Outcome.REJECTED),
    (403, None, Outcome.UNKNOWN),
    (409, BALANCE, Outcome.UNKNOWN),
    (408, BALANCE, Outcome.UNKNOWN),
    (429, paystack_error("Rate limit exceeded!", "rate_limited"), Outcome.NOT_SENT),
    (429, None, Outcome.NOT_SENT),
    (302, paystack_transfer(), Outcome.UNKNOWN),
    (500, BALANCE, Outcome.UNKNOWN),
    (503, None, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("status", "body", "outcome"), SUBMITTED)
def test_what_is_known_after_an_order(status, body, outcome):
    assert answers.classify_payout(Reply(status, body), REFERENCE).outcome is outcome


def test_never_sent_and_no_answer_are_told_apart():
    assert answers.classify_payout(NotSent("ConnectError"), REFERENCE).outcome is Outcome.NOT_SENT
    assert answers.classify_payout(Lost("ReadTimeout"), REFERENCE).outcome is Outcome.UNKNOWN


def test_a_busy_provider_says_when():
    assert answers.classify_payout(Reply(429, None, 12.0), REFERENCE).retry_after == 12.0


@pytest.mark.parametrize(("status", "misconfigured"), [(401, True), (403, True), (400, False)])
def test_a_refusal_of_us_is_told_from_one_of_the_order(status, misconfigured):
    assert answers.classify_payout(Reply(status, KEY), REFERENCE).misconfigured is misconfigured


def test_a_refusal_is_told_in_their_words_and_code():
    result = answers.classify_payout(Reply(400, paystack_error("Account 0690000031 is bad", "bad")), REFERENCE)
    assert (result.code, result.detail) == ("bad", "Paystack: Account ••••0031 is bad")


def test_an_accepted_order_has_their_code():
    result = answers.classify_payout(Reply(200, paystack_transfer()), REFERENCE)
    assert (result.provider_id, result.raw["status"]) == ("TRF_x1y2z3", "pending")


QUERIED = [
    (200, paystack_transfer("pending"), Remote.PENDING),
    (200, paystack_transfer("received"), Remote.ACTION_REQUIRED),
    (200, paystack_transfer("otp"), Remote.ACTION_REQUIRED),
    (200, paystack_transfer("success"), Remote.SUCCEEDED),
    (200, paystack_transfer("failed"), Remote.FAILED),
    (200, paystack_transfer("abandoned"), Remote.FAILED),
    (200, paystack_transfer("blocked"), Remote.FAILED),
    (200, paystack_transfer("rejected"), Remote.FAILED),
    (200, paystack_transfer("reversed"), Remote.REVERSED),
    (200, paystack_transfer("queued"), Remote.UNKNOWN),
    (200, paystack_transfer("success", reference="wdr_another_reference"), Remote.UNKNOWN),
    (200, paystack_transfer("success") | {"status": False}, Remote.UNKNOWN),
    (201, paystack_transfer("success"), Remote.UNKNOWN),
    (400, paystack_transfer("failed"), Remote.UNKNOWN),
    (404, paystack_error("Transfer not found"), Remote.NOT_FOUND),
    (404, paystack_error("No.", "transfer_not_found"), Remote.NOT_FOUND),
    (404, paystack_error("No."), Remote.UNKNOWN),
    (404, {"message": "Not found"}, Remote.UNKNOWN),
    (404, None, Remote.UNKNOWN),
    (401, KEY, Remote.UNKNOWN),
    (429, None, Remote.UNKNOWN),
    (503, paystack_error("Transfer not found"), Remote.UNKNOWN),
]


@pytest.mark.parametrize(("status", "body", "remote"), QUERIED)
def test_what_has_become_of_an_order(status, body, remote):
    assert answers.classify_payout_query(Reply(status, body), REFERENCE).status is remote


def test_what_was_paid_is_told_in_minor_units_and_the_fee_in_major_ones():
    state = answers.classify_payout_query(Reply(200, paystack_transfer("success", fee_charged=2500)), REFERENCE)
    assert (state.amount, state.currency, state.fee, state.provider_id) == (
        250050,
        "NGN",
        Decimal("25.00"),
        "TRF_x1y2z3",
    )


@pytest.mark.parametrize("amount", [None, "x", True, Decimal("250050.5"), [], 10**30])
def test_an_amount_that_isnt_one_is_none(amount):
    state = answers.classify_payout_query(Reply(200, paystack_transfer("success", amount=amount)), REFERENCE)
    assert (state.status, state.amount) == (Remote.SUCCEEDED, None)


@pytest.mark.parametrize("currency", ["XOF", "???", None, 5])
def test_an_amount_in_a_currency_whose_units_arent_known_is_none(currency):
    state = answers.classify_payout_query(Reply(200, paystack_transfer("success", currency=currency)), REFERENCE)
    assert state.amount is None


DEPOSITED = [
    ("success", Remote.SUCCEEDED), ("failed", Remote.FAILED), ("abandoned", Remote.PENDING),
    ("ongoing", Remote.PENDING),
    ("reversed", Remote.REVERSED), ("strange", Remote.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("status", "remote"), DEPOSITED)
def test_what_has_become_of_a_deposit(status, remote):
    reply = Reply(200, paystack_transaction(status))
    for reference, id in [(DEPOSIT, ""), ("", "302961")]:
        state = answers.classify_deposit_query(reply, reference, id)
        assert (state.status, state.amount, state.fee) == (remote, 1000000, Decimal("150.00"))
        assert (state.reference, state.provider_id) == (DEPOSIT, "302961")


@pytest.mark.parametrize(("reference", "id"), [("dep-another", "302961"), ("", "1"), ("", "")])
def test_another_deposit_proves_nothing(reference, id):
    state = answers.classify_deposit_query(Reply(200, paystack_transaction()), reference, id)
    assert (state.status, state.amount) == (Remote.UNKNOWN, None)


def test_what_is_kept_names_no_person():
    kept = json.dumps(answers.classify_deposit_query(Reply(200, paystack_transaction()), DEPOSIT, "").raw)
    assert "amina@" not in kept
    assert "AUTH_1" not in kept


def test_balances_are_major_units():
    body = decode(
        b'{"status": true, "data": [{"currency": "NGN", "balance": 48250075}, {"currency": "GHS", "balance": 0}]}'
    )
    (reading,) = answers.read_balances(Reply(200, body), "paystack", "NGN", NOW)
    assert (str(reading.available), reading.ledger, reading.as_of) == ("482500.75", None, NOW)
    assert reading.external_account_id == "paystack:NGN"


@pytest.mark.parametrize(
    "answer", [NotSent("x"), Lost("x"), Reply(200, None), Reply(401, KEY), Reply(500, {}), Reply(302, {})]
)
def test_what_cant_be_read_is_unavailable(answer):
    for read in (
        answers.read_banks, answers.read_account, answers.read_checkout,
        lambda given: answers.read_recipient(given, "0000000000"),
        lambda given: answers.read_balances(given, "paystack", "NGN", NOW),
    ):  # fmt: skip
        with pytest.raises(ProviderUnavailable):
            read(answer)


def test_codes_of_banks_are_text():
    rows = [{"code": "044", "name": "Access"}, {"code": "MFB50094", "name": "Nano"}, {"name": "no code"}, "no object"]
    body = {"status": True, "data": rows, "meta": {"next": "cur"}}
    assert answers.read_banks(Reply(200, body)) == ([Bank("044", "Access"), Bank("MFB50094", "Nano")], "cur")


def test_an_account_is_resolved_or_not():
    resolved = {"status": True, "data": {"account_number": "0000000000", "account_name": "AMINA BELLO"}}
    assert answers.read_account(Reply(200, resolved)).account_name == "AMINA BELLO"
    for status in (400, 404, 422):
        with pytest.raises(AccountNotResolved, match="Could not resolve"):
            answers.read_account(Reply(status, paystack_error("Could not resolve account name")))


def test_a_recipient_of_another_account_isnt_taken():
    body = {"status": True, "data": {"recipient_code": "RCP_a", "details": {"account_number": "0000000000"}}}
    assert answers.read_recipient(Reply(201, body), "0000000000") == "RCP_a"
    with pytest.raises(ProviderUnavailable):
        answers.read_recipient(Reply(201, body), "0000000001")


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", 5])
def test_a_checkout_has_an_address_that_a_browser_may_be_sent_to(url):
    with pytest.raises(ProviderUnavailable):
        answers.read_checkout(Reply(200, {"status": True, "data": {"authorization_url": url}}))


ORDER = PayoutOrder(REFERENCE, 250050, "NGN", "057", "0000000000", "Amina Bello", "Wallet withdrawal", "RCP_abc")


def test_an_order_is_written_in_minor_units():
    assert wire.build_payout(ORDER).body == {
        "source": "balance", "amount": 250050, "currency": "NGN", "recipient": "RCP_abc",
        "reference": REFERENCE, "reason": "Wallet withdrawal",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"recipient": ""}, "no_recipient"), ({"currency": "XOF"}, "currency_not_exact"),
        ({"currency": "KWD"}, "currency_not_exact"), ({"amount": 2**53 + 1}, "amount_not_exact"),
    ],
)  # fmt: skip
def test_what_cant_be_written_isnt_sent(change, code):
    order = PayoutOrder(**{name: getattr(ORDER, name) for name in ORDER.__slots__} | change)
    with pytest.raises(Unsendable) as refused:
        wire.build_payout(order)
    assert refused.value.code == code


def test_a_recipient_and_a_checkout_are_written():
    assert wire.build_recipient("057", "0000000000", "Amina Bello", "NGN").body == {
        "type": "nuban", "name": "Amina Bello", "account_number": "0000000000", "bank_code": "057", "currency": "NGN",
    }  # fmt: skip
    intent = DepositIntent(DEPOSIT, 1000000, "NGN", "amina@example.com", "Amina", "https://w.example/back")
    assert wire.build_checkout(intent).body == {
        "email": "amina@example.com", "amount": 1000000, "currency": "NGN", "reference": DEPOSIT,
        "callback_url": "https://w.example/back",
    }  # fmt: skip
    with pytest.raises(Unsendable):
        wire.build_recipient("057", "0000000000", "Amina Bello", "JPY")


SECRET = "sk_test_example"
SIGNED = (
    b'{"event":"transfer.success","data":{"id":71,"reference":"wd_0123456789abcdef0123456789abcdef_1",'
    b'"amount":250000,"currency":"NGN","status":"success"}}'
)
SIGNATURE = (
    "0ab5f26d4b1e9753d95154c767ef1a9c3345ebb5b427df44c3e5e51d579207ee"
    "1d148bc1f590b83aceff1a685f25c1906567b9be4f11ae944c097608321f7521"
)


@pytest.mark.parametrize("secrets", [[SECRET], ["new", SECRET], [SECRET, "old"]])
def test_the_signature_is_right_to_the_byte(secrets):
    webhooks.verify({"x-paystack-signature": SIGNATURE}, SIGNED, secrets)


@pytest.mark.parametrize(
    ("headers", "body", "secrets"),
    [
        ({"x-paystack-signature": SIGNATURE}, SIGNED + b" ", [SECRET]),
        ({"x-paystack-signature": SIGNATURE}, SIGNED.replace(b"250000", b"950000"), [SECRET]),
        ({"x-paystack-signature": SIGNATURE[:-1] + "2"}, SIGNED, [SECRET]),
        ({"x-paystack-signature": SIGNATURE[:-1]}, SIGNED, [SECRET]),
        ({"x-paystack-signature": ""}, SIGNED, [SECRET]),
        ({"x-paystack-signature": "ü"}, SIGNED, [SECRET]),
        ({"x-paystack-signature": "\udcff"}, SIGNED, [SECRET]),
        ({}, SIGNED, [SECRET]),
        ({"x-paystack-signature": SIGNATURE}, SIGNED, ["another"]),
        ({"x-paystack-signature": SIGNATURE}, SIGNED, []),
        ({"x-paystack-signature": hmac.new(b"", SIGNED, "sha512").hexdigest()}, SIGNED, [""]),
    ],
)
def test_a_forged_webhook_is_refused(headers, body, secrets):
    with pytest.raises(InvalidSignature):
        webhooks.verify(headers, body, secrets)


@pytest.mark.parametrize(
    ("event", "data", "expected"),
    [
        ("charge.success", paystack_transaction()["data"],
         ("charge.success:302961", "deposit", DEPOSIT, "302961", "success")),
        ("transfer.success", paystack_transfer("success")["data"],
         ("transfer.success:9001", "payout", REFERENCE, "TRF_x1y2z3", "success")),
        ("transfer.reversed", {"id": 9001, "status": "reversed", "reference": REFERENCE, "created_at": "x"},
         ("transfer.reversed:9001", "payout", REFERENCE, "9001", "reversed")),
        ("charge.dispute.create", {"id": 3, "status": "pending"},
         ("charge.dispute.create:3", "other", "", "3", "pending")),
        ("refund.processed", {"id": 4, "amount": "100"}, ("refund.processed:4", "other", "", "4", "")),
    ],
)  # fmt: skip
def test_a_webhook_hints_at_what_to_ask(event, data, expected):
    (found,) = webhooks.parse(json.dumps({"event": event, "data": data}).encode())
    assert (found.dedupe_key, found.kind, found.reference, found.provider_id, found.hinted_status) == expected


def test_a_webhook_tells_when():
    (found,) = webhooks.parse(json.dumps({"event": "charge.success", "data": paystack_transaction()["data"]}).encode())
    assert found.occurred_at == datetime(2026, 1, 5, 10, 5, tzinfo=UTC)


def test_an_event_without_a_name_of_its_own_is_known_by_its_bytes():
    first, again, other = (
        webhooks.parse(body)[0].dedupe_key for body in (b'{"event":"x.y"}', b'{"event":"x.y"}', b'{"event": "x.y"}')
    )
    assert first == again != other
    assert len(first) < 150


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"event": 5.5}', b'{"event": null}', b"\xff", b'{"data": {}}'])
def test_what_isnt_an_event_is_refused(body):
    with pytest.raises(ValueError, match="event"):
        webhooks.parse(body)
