import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from wallets.providers.fincra import answers, webhooks, wire
from wallets.providers.outcomes import Unsendable
from wallets.providers.port import (
    AccountNotResolved,
    Bank,
    DepositHandle,
    DepositIntent,
    InvalidSignature,
    PayoutOrder,
    ProviderUnavailable,
)
from wallets.providers.port import RemoteStatus as Remote
from wallets.providers.port import SubmitOutcome as Outcome
from wallets.providers.transport import Lost, NotSent, Reply, decode
from wallets.tests.providers.examples import DEPOSIT, REFERENCE, fincra_checkout, fincra_error, fincra_payout

NOW = datetime(2026, 1, 5, tzinfo=UTC)
GATEWAY = {"message": "No API key found in request", "request_id": "r"}
DENIED = fincra_error("ACCESS_DENIED", "Your IP address is not allowed to make this request")
CREATED = {"id": 14483, "reference": "cb2c581b", "customerReference": REFERENCE, "status": "processing"}

SUBMITTED = [
    (200, {"success": True, "message": "Payout processed", "data": CREATED}, Outcome.ACCEPTED),
    (200, fincra_payout("processing"), Outcome.ACCEPTED),
    (201, fincra_payout("successful"), Outcome.ACCEPTED),
    (200, fincra_payout("failed"), Outcome.ACCEPTED),
    (200, fincra_payout("on hold"), Outcome.UNKNOWN),
    (200, fincra_payout("processing", customerReference="wdr_another"), Outcome.UNKNOWN),
    (200, fincra_payout("processing", customerReference=None), Outcome.UNKNOWN),
    (200, {"success": True}, Outcome.UNKNOWN),
    (200, None, Outcome.UNKNOWN),
    *(
        (status, fincra_error(kind), outcome)
        for status in (200, 400, 422)
        for kind, outcome in [
            ("NO_ENOUGH_MONEY_IN_WALLET", Outcome.REJECTED),
            ("INVALID_QUOTE", Outcome.REJECTED),
            ("QUOTE_NOT_GENERATED", Outcome.REJECTED),
            ("UNPROCESSABLE_ENTITY", Outcome.REJECTED),
            ("VALIDATION_FAILED", Outcome.REJECTED),
            ("ACCOUNT_RESOLVE_FAILED", Outcome.REJECTED),
            ("ACCESS_DENIED", Outcome.REJECTED),
            ("OPERATION_FORBIDDEN", Outcome.REJECTED),
            ("TOO_MANY_REQUESTS", Outcome.NOT_SENT),
            ("DUPLICATE_CUSTOMER_REFERENCE", Outcome.ALREADY_EXISTS),
            ("SERVICE_UNAVAILABLE", Outcome.UNKNOWN),
            ("INTERNAL_SERVER_ERROR", Outcome.UNKNOWN),
            ("SOMETHING_NEW", Outcome.UNKNOWN),
            ("", Outcome.UNKNOWN),
        ]
    ),
    (404, fincra_error("RESOURCE_NOT_FOUND", "Payout not found"), Outcome.UNKNOWN),
    (404, fincra_error("RESOURCE_NOT_FOUND", "Quote not found"), Outcome.REJECTED),
    (400, fincra_error("SOMETHING_NEW", "Customer reference already used"), Outcome.ALREADY_EXISTS),
    (401, GATEWAY, Outcome.REJECTED),
    (403, DENIED, Outcome.REJECTED),
    (403, None, Outcome.UNKNOWN),
    (404, GATEWAY, Outcome.UNKNOWN),
    (429, {"message": "API rate limit exceeded"}, Outcome.NOT_SENT),
    (500, fincra_error("NO_ENOUGH_MONEY_IN_WALLET"), Outcome.UNKNOWN),
    (502, None, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("status", "body", "outcome"), SUBMITTED)
def test_what_is_known_after_an_order(status, body, outcome):
    assert answers.classify_payout(Reply(status, body), REFERENCE).outcome is outcome


@pytest.mark.parametrize(
    ("status", "body", "misconfigured"),
    [
        (401, GATEWAY, True), (403, DENIED, True), (400, DENIED, True),
        (400, fincra_error("OPERATION_FORBIDDEN"), True),
        (400, fincra_error("NO_ENOUGH_MONEY_IN_WALLET"), False),
    ],
)  # fmt: skip
def test_a_refusal_of_us_is_told_from_one_of_the_order(status, body, misconfigured):
    assert answers.classify_payout(Reply(status, body), REFERENCE).misconfigured is misconfigured


QUERIED = [
    (200, fincra_payout("processing"), Remote.PENDING),
    (200, fincra_payout("successful"), Remote.SUCCEEDED),
    (200, fincra_payout("failed"), Remote.FAILED),
    (200, fincra_payout("reversed"), Remote.REVERSED),
    (200, fincra_payout("pending review"), Remote.UNKNOWN),
    (200, fincra_payout("failed", customerReference="wdr_another"), Remote.UNKNOWN),
    *((status, fincra_error("RESOURCE_NOT_FOUND", "Payout not found"), Remote.NOT_FOUND) for status in (200, 400, 404,
      422)),
    (500, fincra_error("RESOURCE_NOT_FOUND", "Payout not found"), Remote.UNKNOWN),
    (404, GATEWAY, Remote.UNKNOWN),
    (404, None, Remote.UNKNOWN),
    (403, DENIED, Remote.UNKNOWN),
    (200, fincra_error("INTERNAL_SERVER_ERROR"), Remote.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "remote"), QUERIED)
def test_what_has_become_of_an_order(status, body, remote):
    assert answers.classify_payout_query(Reply(status, body), REFERENCE).status is remote


def test_what_was_paid_is_what_the_payee_received():
    state = answers.classify_payout_query(
        Reply(200, decode(json.dumps(fincra_payout("successful")).encode())), REFERENCE
    )
    assert (state.amount, state.currency, state.fee) == (250050, "NGN", Decimal(50))
    assert state.provider_id == "cb2c581b-58a5-4037-be65-000000000000"
    assert state.raw["recipient"]["accountNumber"] == "••••8901"


@pytest.mark.parametrize(
    ("status", "remote"),
    [("success", Remote.SUCCEEDED), ("failed", Remote.FAILED), ("pending", Remote.PENDING), ("odd", Remote.UNKNOWN)],
)
def test_what_has_become_of_a_deposit(status, remote):
    state = answers.classify_deposit_query(Reply(200, fincra_checkout(status)), DEPOSIT, "")
    assert (state.status, state.amount, state.reference) == (remote, 10000, DEPOSIT)


@pytest.mark.parametrize(
    ("told", "amount"),
    [
        ({"amount": 7000, "amountReceived": 73, "varianceType": "underpayment"}, 7300),
        ({"amount": 100, "amountReceived": 150, "varianceType": "overpayment"}, 15000),
        ({"amount": 100, "amountReceived": None}, 10000),
        ({"amount": 7000, "amountReceived": None, "varianceType": "underpayment"}, None),
        ({"amount": 7000, "amountReceived": 0}, 0),
    ],
)
def test_what_came_counts_and_not_what_was_asked_for(told, amount):
    assert answers.classify_deposit_query(Reply(200, fincra_checkout(**told)), DEPOSIT, "").amount == amount


COLLECTION = {
    "virtualAccount": "65f0", "sourceAmount": 5000, "destinationAmount": 5000, "amountReceived": 4950, "fee": 50,
    "destinationCurrency": "NGN", "status": "successful", "reference": "e30f-1", "senderAccountNumber": "0690000031",
}  # fmt: skip


def test_what_came_to_a_virtual_account_is_asked_for_by_their_reference():
    reply = Reply(200, {"success": True, "data": COLLECTION})
    state = answers.classify_deposit_query(reply, "", "e30f-1")
    assert (state.status, state.amount, state.fee, state.provider_id) == (
        Remote.SUCCEEDED,
        500000,
        Decimal(50),
        "e30f-1",
    )
    for asked in ("e30f-2", ""):
        assert answers.classify_deposit_query(reply, "", asked).status is Remote.UNKNOWN


def test_another_deposit_proves_nothing():
    assert answers.classify_deposit_query(Reply(200, fincra_checkout()), "dep-another", "").status is Remote.UNKNOWN


def test_balances_keep_all_their_digits():
    body = decode(
        b'{"success": true, "data": [{"id": 207001, "_id": "207001", "ledgerBalance": 1999965363.990817,'
        b' "availableBalance": 640179.275, "lockedBalance": 533231.555,'
        b' "walletNumber": 100000114000001, "currency": "NGN"}]}'
    )
    (reading,) = answers.read_balances(Reply(200, body), "fincra", "NGN", NOW)
    assert (str(reading.available), str(reading.ledger), str(reading.locked)) == (
        "640179.275", "1999965363.990817", "533231.555",
    )  # fmt: skip
    assert reading.external_account_id == "207001"
    assert reading.metadata["walletNumber"] == "••••0001"


@pytest.mark.parametrize(
    "answer", [NotSent("x"), Lost("x"), Reply(200, None), Reply(401, GATEWAY), Reply(403, DENIED), Reply(500, {})]
)
def test_what_cant_be_read_is_unavailable(answer):
    for read in (
        answers.read_banks, answers.read_account, answers.read_checkout,
        lambda given: answers.read_balances(given, "fincra", "NGN", NOW),
    ):  # fmt: skip
        with pytest.raises(ProviderUnavailable):
            read(answer)


def test_banks_accounts_and_checkouts_are_read():
    assert answers.read_banks(Reply(200, {"success": True, "data": [{"code": "058", "name": "GTB"}]})) == [
        Bank("058", "GTB")
    ]
    account = {
        "success": True,
        "data": {"accountName": "Amina Bello", "accountNumber": "2345678901", "bankCode": "058"},
    }
    assert answers.read_account(Reply(200, account)).account_name == "Amina Bello"
    for kind in ("ACCOUNT_RESOLVE_FAILED", "UNPROCESSABLE_ENTITY"):
        with pytest.raises(AccountNotResolved):
            answers.read_account(Reply(422, fincra_error(kind)))
    checkout = {"status": True, "data": {"link": "https://checkout.fincra.com/pay/fcr-p-1", "payCode": "fcr-p-1"}}
    assert answers.read_checkout(Reply(200, checkout)) == DepositHandle(
        "https://checkout.fincra.com/pay/fcr-p-1", "fcr-p-1"
    )


def test_an_order_is_written_with_its_amount_as_text():
    order = PayoutOrder(REFERENCE, 250050, "NGN", "058", "2345678901", "Amina Bello Okoro", "Wallet withdrawal")
    assert wire.build_payout(order, "64f1").body == {
        "business": "64f1", "sourceCurrency": "NGN", "destinationCurrency": "NGN", "amount": "2500.50",
        "description": "Wallet withdrawal", "paymentDestination": "bank_account", "customerReference": REFERENCE,
        "beneficiary": {
            "type": "individual", "firstName": "Amina", "lastName": "Bello Okoro",
            "accountHolderName": "Amina Bello Okoro", "accountNumber": "2345678901", "bankCode": "058",
        },
    }  # fmt: skip


@pytest.mark.parametrize("name", ["Amina", " Amina ", "Amina Bello"])
def test_a_payee_has_two_names(name):
    order = PayoutOrder(REFERENCE, 1, "NGN", "058", "2345678901", name, "")
    beneficiary = wire.build_payout(order, "b").body["beneficiary"]
    assert beneficiary["firstName"]
    assert beneficiary["lastName"]


def test_a_checkout_asks_for_the_amount_and_bears_the_fee():
    intent = DepositIntent(DEPOSIT, 10050, "NGN", "amina@example.com", "Amina", "https://w.example/back")
    call = wire.build_checkout(intent, {"x-pub-key": "pk", "x-business-id": "b"})
    assert call.body["amount"] == 100.5
    assert call.body["feeBearer"] == "business"
    assert call.headers == {"x-pub-key": "pk", "x-business-id": "b"}
    with pytest.raises(Unsendable):
        wire.build_checkout(DepositIntent(DEPOSIT, 2**60 + 1, "NGN", "a@b", "A", ""), {})


SECRET = "fincra_whsec_example"
SIGNED = (
    '{"event":"payout.successful","data":{"id":9001,"amountReceived":2500.5,"reference":"f-1",'
    '"customerReference":"wd_0123456789abcdef0123456789abcdef_1","status":"successful","recipient":{"name":"Zoë"}}}'
).encode()
SIGNATURE = (
    "964393d0166a800c3588ffa36353f4b9bb90b515979b2a80171ae80ab3df4d39"
    "2f046b4e0d4b4100915fbd29db62830ad98c66c14a61315b0a6812a25b86ec81"
)
SPACED = json.dumps(json.loads(SIGNED), indent=2, ensure_ascii=False).encode()
ESCAPED = json.dumps(json.loads(SIGNED)).encode()
WITH_MORE = json.dumps({"business": "64f1"} | json.loads(SIGNED)).encode()


@pytest.mark.parametrize("body", [SIGNED, SPACED, ESCAPED, WITH_MORE])
@pytest.mark.parametrize("secrets", [[SECRET], ["new", SECRET]])
def test_the_signature_is_right_to_the_byte_however_the_body_is_spaced(body, secrets):
    webhooks.verify({"signature": SIGNATURE}, body, secrets)


def test_a_body_with_more_members_may_be_signed_whole():
    signature = hmac.new(SECRET.encode(), WITH_MORE, "sha512").hexdigest()
    webhooks.verify({"signature": signature}, WITH_MORE, [SECRET])


@pytest.mark.parametrize(
    ("headers", "body", "secrets"),
    [
        ({"signature": SIGNATURE}, SIGNED.replace(b"2500.5", b"9500.5"), [SECRET]),
        ({"signature": SIGNATURE}, SIGNED.replace("Zoë".encode(), b"Zoe"), [SECRET]),
        ({"signature": SIGNATURE}, SIGNED[:-1] + b',"data":{}}', [SECRET]),
        ({"signature": SIGNATURE[:-1] + "0"}, SIGNED, [SECRET]),
        ({"signature": ""}, SIGNED, [SECRET]),
        ({}, SIGNED, [SECRET]),
        ({"x-fincra-signature": SIGNATURE}, SIGNED, [SECRET]),
        ({"signature": SIGNATURE}, SIGNED, ["another"]),
        ({"signature": SIGNATURE}, b"[]", [SECRET]),
        ({"signature": SIGNATURE}, b"[" * 100_000, [SECRET]),
        ({"signature": SIGNATURE}, b"\xff", [SECRET]),
    ],
)
def test_a_forged_webhook_is_refused(headers, body, secrets):
    with pytest.raises(InvalidSignature):
        webhooks.verify(headers, body, secrets)


CHARGE = {"id": 892892, "chargeReference": "fcr-bt-1", "reference": DEPOSIT, "amount": 101.51, "status": "success"}


@pytest.mark.parametrize(
    ("event", "data", "expected"),
    [
        ("payout.successful", fincra_payout("successful", reference="cb2c")["data"],
         ("payout.successful:cb2c:successful", "payout", REFERENCE, "cb2c", "successful")),
        ("payout.failed", {"id": 14484, "status": "failed", "customerReference": REFERENCE},
         ("payout.failed:14484:failed", "payout", REFERENCE, "14484", "failed")),
        ("collection.successful", COLLECTION,
         ("collection.successful:e30f-1:successful", "deposit", "", "e30f-1", "successful")),
        ("charge.successful", CHARGE, (f"charge.successful:{DEPOSIT}:success", "deposit", DEPOSIT, "fcr-bt-1",
          "success")),
        ("charge.successful", CHARGE | {"reference": "fcr-p-1", "merchantReference": DEPOSIT},
         ("charge.successful:fcr-p-1:success", "deposit", DEPOSIT, "fcr-bt-1", "success")),
        ("virtualaccount.approved", {"id": "v1", "status": "approved"},
         ("virtualaccount.approved:v1:approved", "other", "", "v1", "approved")),
    ],
)  # fmt: skip
def test_a_webhook_hints_at_what_to_ask(event, data, expected):
    (found,) = webhooks.parse(json.dumps({"event": event, "data": data}).encode())
    assert (found.dedupe_key, found.kind, found.reference, found.provider_id, found.hinted_status) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {}}', b"\xff"])
def test_what_isnt_an_event_is_refused(body):
    with pytest.raises(ValueError, match="event"):
        webhooks.parse(body)
