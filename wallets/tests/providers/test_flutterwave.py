import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from wallets.providers.flutterwave import answers, webhooks, wire
from wallets.providers.flutterwave.adapter import FlutterwaveProvider
from wallets.providers.outcomes import Unsendable
from wallets.providers.port import (
    AccountNotResolved,
    Bank,
    Capability,
    DepositIntent,
    InvalidSignature,
    PayoutOrder,
    ProviderUnavailable,
)
from wallets.providers.port import RemoteStatus as Remote
from wallets.providers.port import SubmitOutcome as Outcome
from wallets.providers.transport import Lost, NotSent, Reply, decode
from wallets.tests.providers.examples import (
    DEPOSIT,
    REFERENCE,
    flutterwave,
    flutterwave_error,
    flutterwave_transaction,
    flutterwave_transfer,
)

NOW = datetime(2026, 1, 5, tzinfo=UTC)
BLACKLISTED = flutterwave_error("Payout was made to a blacklisted account number")
TIMED_OUT = flutterwave_error("An error occurred. Please contact support")

SUBMITTED = [
    (200, flutterwave(flutterwave_transfer("NEW")), Outcome.ACCEPTED),
    (200, flutterwave(flutterwave_transfer("PENDING")), Outcome.ACCEPTED),
    (200, flutterwave(flutterwave_transfer("SUCCESSFUL")), Outcome.ACCEPTED),
    (200, flutterwave(flutterwave_transfer("FAILED")), Outcome.ACCEPTED),
    (200, flutterwave(flutterwave_transfer("NEW", requires_approval=1, is_approved=0)), Outcome.ACTION_REQUIRED),
    (200, flutterwave(flutterwave_transfer("NEW", requires_approval=1, is_approved=1)), Outcome.ACCEPTED),
    (200, flutterwave(flutterwave_transfer("INITIATED")), Outcome.UNKNOWN),
    (200, flutterwave(flutterwave_transfer("NEW", reference="wdr_another")), Outcome.UNKNOWN),
    (200, flutterwave(None), Outcome.UNKNOWN),
    (200, flutterwave([flutterwave_transfer()]), Outcome.UNKNOWN),
    (200, {"data": flutterwave_transfer()}, Outcome.UNKNOWN),
    (200, None, Outcome.UNKNOWN),
    (200, BLACKLISTED, Outcome.REJECTED),
    (400, BLACKLISTED, Outcome.REJECTED),
    (400, flutterwave_error("Transfer with this reference already exists"), Outcome.ALREADY_EXISTS),
    (409, flutterwave_error("Duplicate reference"), Outcome.ALREADY_EXISTS),
    (400, {"message": "no"}, Outcome.UNKNOWN),
    (400, None, Outcome.UNKNOWN),
    (401, flutterwave_error("Invalid authorization key"), Outcome.REJECTED),
    (403, flutterwave_error("IP not whitelisted"), Outcome.REJECTED),
    (401, None, Outcome.UNKNOWN),
    (429, flutterwave_error("Too many requests"), Outcome.NOT_SENT),
    (503, TIMED_OUT, Outcome.UNKNOWN),
    (500, flutterwave_error("Insufficient balance"), Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("status", "body", "outcome"), SUBMITTED)
def test_what_is_known_after_an_order(status, body, outcome):
    assert answers.classify_payout(Reply(status, body), REFERENCE).outcome is outcome


@pytest.mark.parametrize(("status", "misconfigured"), [(401, True), (403, True), (400, False)])
def test_a_refusal_of_us_is_told_from_one_of_the_order(status, misconfigured):
    assert answers.classify_payout(Reply(status, BLACKLISTED), REFERENCE).misconfigured is misconfigured


QUERIED = [
    (200, flutterwave([flutterwave_transfer("NEW")]), Remote.PENDING),
    (200, flutterwave([flutterwave_transfer("SUCCESSFUL")]), Remote.SUCCEEDED),
    (200, flutterwave([flutterwave_transfer("FAILED")]), Remote.FAILED),
    (200, flutterwave([flutterwave_transfer("PENDING", requires_approval=1, is_approved=0)]), Remote.ACTION_REQUIRED),
    (200, flutterwave([flutterwave_transfer("FAILED", requires_approval=1, is_approved=0)]), Remote.FAILED),
    (200, flutterwave([flutterwave_transfer("CANCELLED")]), Remote.UNKNOWN),
    (200, flutterwave([flutterwave_transfer("FAILED", reference=f"{REFERENCE}0"), flutterwave_transfer("SUCCESSFUL")]),
     Remote.SUCCEEDED),
    (200, flutterwave([flutterwave_transfer("FAILED", reference=f"{REFERENCE}0")]), Remote.UNKNOWN),
    (200, flutterwave([flutterwave_transfer("FAILED", reference=REFERENCE.upper())]), Remote.UNKNOWN),
    (200, flutterwave([flutterwave_transfer("FAILED"), flutterwave_transfer("SUCCESSFUL", id=2)]), Remote.UNKNOWN),
    (200, flutterwave([]), Remote.NOT_FOUND),
    (200, flutterwave(None), Remote.UNKNOWN),
    (200, {"status": "error", "data": []}, Remote.UNKNOWN),
    (404, flutterwave([]), Remote.UNKNOWN),
    (404, flutterwave_error("Transfer not found"), Remote.UNKNOWN),
    (200, None, Remote.UNKNOWN),
    (401, TIMED_OUT, Remote.UNKNOWN),
    (503, TIMED_OUT, Remote.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "remote"), QUERIED)
def test_what_has_become_of_an_order(status, body, remote):
    assert answers.classify_payout_query(Reply(status, body), REFERENCE).status is remote


@pytest.mark.parametrize("words", ["Sent back", "Sent back."])
def test_what_they_say_is_one_sentence(words):
    body = flutterwave([flutterwave_transfer("FAILED", complete_message=words)])
    assert answers.classify_payout_query(Reply(200, body), REFERENCE).detail == "Flutterwave says FAILED: Sent back."


def test_what_was_paid_is_told_in_minor_units_and_the_fee_exactly():
    raw = json.dumps(flutterwave([flutterwave_transfer("SUCCESSFUL", complete_message="Transaction was successful")]))
    state = answers.classify_payout_query(Reply(200, decode(raw.encode())), REFERENCE)
    assert (state.amount, state.currency, state.fee, state.provider_id) == (250050, "NGN", Decimal("26.875"), "396432")
    assert state.detail == "Flutterwave says SUCCESSFUL: Transaction was successful."
    assert state.raw["account_number"] == "••••0031"


@pytest.mark.parametrize("amount", [b"2500.505", b'"x"', b"1e400", b"null"])
def test_an_amount_that_isnt_exact_is_none(amount):
    raw = json.dumps(flutterwave([flutterwave_transfer("SUCCESSFUL")])).encode().replace(b"2500.5", amount)
    state = answers.classify_payout_query(Reply(200, decode(raw)), REFERENCE)
    assert (state.status, state.amount) == (Remote.SUCCEEDED, None)


@pytest.mark.parametrize(
    ("status", "remote"),
    [("successful", Remote.SUCCEEDED), ("failed", Remote.FAILED), ("pending", Remote.PENDING), ("odd", Remote.UNKNOWN)],
)
def test_what_has_become_of_a_deposit(status, remote):
    for reference, id in [(DEPOSIT, ""), ("", "285959875")]:
        state = answers.classify_deposit_query(Reply(200, flutterwave_transaction(status)), reference, id)
        assert (state.status, state.amount, state.reference) == (remote, 1000000, DEPOSIT)


@pytest.mark.parametrize(("reference", "id"), [("dep-another", "285959875"), ("", "1"), ("", "")])
def test_another_deposit_proves_nothing(reference, id):
    state = answers.classify_deposit_query(Reply(200, flutterwave_transaction()), reference, id)
    assert state.status is Remote.UNKNOWN


def test_a_deposit_that_isnt_there():
    reply = Reply(400, flutterwave_error("No transaction was found for this id"))
    assert answers.classify_deposit_query(reply, DEPOSIT, "").status is Remote.NOT_FOUND


@pytest.mark.parametrize(
    ("told", "fee"),
    [
        ({"charged_amount": 10000, "app_fee": 140}, 140),
        ({"charged_amount": 10140, "app_fee": 140}, 0),
        ({"charged_amount": 10140, "app_fee": 140, "amount_settled": 9860}, 140),
        ({"charged_amount": None, "app_fee": 140}, 140),
        ({"charged_amount": 10000, "app_fee": None}, None),
    ],
)
def test_a_fee_that_the_payer_paid_isnt_taken_from_us(told, fee):
    assert answers.classify_deposit_query(Reply(200, flutterwave_transaction(**told)), DEPOSIT, "").fee == fee


def test_balances_are_as_they_were_said():
    row = '{"currency": "NGN", "available_balance": 482500.750, "ledger_balance": 500000.00}'
    body = decode(f'{{"status": "success", "data": [{row}]}}'.encode())
    (reading,) = answers.read_balances(Reply(200, body), "flutterwave", "NGN", NOW)
    assert (str(reading.available), str(reading.ledger)) == ("482500.750", "500000.00")


@pytest.mark.parametrize("answer", [NotSent("x"), Lost("x"), Reply(200, None), Reply(401, {}), Reply(500, {})])
def test_what_cant_be_read_is_unavailable(answer):
    for read in (
        answers.read_banks, answers.read_account, answers.read_checkout,
        lambda given: answers.read_balances(given, "flutterwave", "NGN", NOW),
    ):  # fmt: skip
        with pytest.raises(ProviderUnavailable):
            read(answer)


def test_banks_and_accounts_are_read():
    assert answers.read_banks(Reply(200, flutterwave([{"id": 1, "code": "044", "name": "Access"}]))) == [
        Bank("044", "Access")
    ]
    assert answers.read_account(Reply(200, flutterwave({"account_name": "Amina Bello"}))).account_name == "Amina Bello"
    with pytest.raises(AccountNotResolved):
        answers.read_account(Reply(400, flutterwave_error("Sorry, that account number is invalid")))


ORDER = PayoutOrder(REFERENCE, 250050, "NGN", "044", "0690000031", "Amina Bello", "Wallet withdrawal")


def test_an_order_is_written_in_major_units():
    call = wire.build_payout(ORDER)
    assert call.body == {
        "account_bank": "044", "account_number": "0690000031", "amount": 2500.5, "currency": "NGN",
        "debit_currency": "NGN", "narration": "Wallet withdrawal", "reference": REFERENCE,
        "beneficiary_name": "Amina Bello",
    }  # fmt: skip
    assert '"amount": 2500.5,' in json.dumps(call.body)


def test_an_amount_that_a_json_number_cant_carry_isnt_sent():
    with pytest.raises(Unsendable):
        wire.build_payout(PayoutOrder(REFERENCE, 2**60 + 1, "NGN", "044", "0690000031", "Amina", ""))


def test_a_checkout_is_written():
    intent = DepositIntent(DEPOSIT, 1000000, "NGN", "amina@example.com", "Amina", "https://w.example/back")
    assert wire.build_checkout(intent).body == {
        "tx_ref": DEPOSIT, "amount": 10000, "currency": "NGN", "redirect_url": "https://w.example/back",
        "customer": {"email": "amina@example.com", "name": "Amina"},
    }  # fmt: skip


@pytest.mark.parametrize(("mode", "ending"), [("test", "_1_PMCK"), ("live", "_1")])
def test_only_test_references_steer_their_sandbox(mode, ending):
    from uuid import uuid4

    options = {"base_url": "https://x", "secret_key": "k", "webhook_secrets": ["h"], "reference_suffix": "_PMCK"}
    bank = FlutterwaveProvider(slug="flutterwave", mode=mode, **options)
    id = uuid4()
    assert bank.payout_reference(id, 1) == bank.payout_reference(id, 1)
    assert bank.payout_reference(id, 1).endswith(f"{id.hex}{ending}")


def test_it_doesnt_claim_that_references_are_unique():
    assert Capability.UNIQUE_REFERENCE not in FlutterwaveProvider.capabilities
    assert FlutterwaveProvider.grace == float("inf")


@pytest.mark.parametrize("secrets", [["flw_hash_example"], ["new", "flw_hash_example"]])
def test_the_shared_secret_is_recognized(secrets):
    webhooks.verify({"verif-hash": "flw_hash_example"}, b"{}", secrets)


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ({}, ["s"]), ({"verif-hash": ""}, ["s"]), ({"verif-hash": "t"}, ["s"]), ({"verif-hash": "s"}, []),
        ({"verif-hash": "S"}, ["s"]), ({"verif-hash": "\udcff"}, ["s"]), ({"verif-hash": ""}, [""]),
    ],
)  # fmt: skip
def test_a_forged_webhook_is_refused(headers, secrets):
    with pytest.raises(InvalidSignature):
        webhooks.verify(headers, b"{}", secrets)


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        ({"event": "charge.completed", "data": flutterwave_transaction()["data"]},
         ("charge.completed:285959875:successful", "deposit", DEPOSIT, "285959875", "successful")),
        ({"event": "charge.completed", "data": flutterwave_transaction("failed")["data"]},
         ("charge.completed:285959875:failed", "deposit", DEPOSIT, "285959875", "failed")),
        ({"event": "transfer.completed", "event.type": "Transfer", "data": flutterwave_transfer("SUCCESSFUL")},
         ("transfer.completed:396432:SUCCESSFUL", "payout", REFERENCE, "396432", "SUCCESSFUL")),
        ({"event": "transfer.completed", "transfer": flutterwave_transfer("FAILED")},
         ("transfer.completed:396432:FAILED", "payout", REFERENCE, "396432", "FAILED")),
        ({"event": "subscription.cancelled", "data": {"id": 1, "status": "x"}},
         ("subscription.cancelled:1:x", "other", "", "1", "x")),
    ],
)  # fmt: skip
def test_a_webhook_hints_at_what_to_ask(envelope, expected):
    (found,) = webhooks.parse(json.dumps(envelope).encode())
    assert (found.dedupe_key, found.kind, found.reference, found.provider_id, found.hinted_status) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {}}', b"\xff"])
def test_what_isnt_an_event_is_refused(body):
    with pytest.raises(ValueError, match="event"):
        webhooks.parse(body)
