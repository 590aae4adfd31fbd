"""Money out: held before the answer, paid by a worker, settled or given back; whoever dies and whatever is lost."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from wallets import tasks
from wallets.models import PayoutAttempt, SandboxPayout, Withdrawal
from wallets.providers.port import PayoutState, RemoteStatus, SubmitOutcome, SubmitResult
from wallets.providing import provider
from wallets.tests.conftest import balance, books_are_clean
from wallets.tests.test_once import at_once
from wallets.withdrawals import payout, timing
from wallets.withdrawals.claim import claim

GOOD, REFUSED, TIMES_OUT, STUCK, FAILS_LATER = "0123456789", "0000000001", "0000000002", "0000000004", "0000000005"


def bank_account(person, number=GOOD, currency="NGN"):
    body = {"bank_code": "058", "account_number": number, "currency": currency}
    return person.http.post("bank-accounts", body).body


def ask(person, wallet, amount=400, number=GOOD, key=""):
    body = {"amount": amount, "bank_account": bank_account(person, number)["id"]}
    return person.http.post(f"wallets/{wallet.id}/withdrawals", body, key=key)


class Worker:
    """Runs the sweep as Celery would, at moments that a test chooses."""

    def __init__(self, traveller) -> None:
        self.traveller, self.now = traveller, datetime(2030, 1, 1, tzinfo=UTC)
        traveller.move_to(self.now)

    def later(self, seconds=0.0):
        self.now += timedelta(seconds=seconds)
        self.traveller.move_to(self.now)
        tasks.sweep_withdrawals()

    def until(self, person, id, *statuses, seconds=60):
        for _ in range(seconds):
            self.later(1)
            found = Withdrawal.objects.get(pk=id)
            if found.status in statuses:
                return found
        raise AssertionError(f"still {found.status}")


@pytest.fixture
def worker():
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC), tick=False) as traveller:
        yield Worker(traveller)


@pytest.fixture
def alice(worker, database):
    from wallets.tests.conftest import join

    return join("alice@example.com", "Alice")


def test_a_bank_account_shows_only_its_last_four_digits(alice):
    made = bank_account(alice)
    assert (made["last4"], made["bank_name"]) == ("6789", "Guaranty Trust Bank")
    assert made["account_name"]
    for path in ("bank-accounts", f"bank-accounts/{made['id']}"):
        assert GOOD not in str(alice.http.get(path).body)
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM wallets_bankaccount")
        assert GOOD.encode() not in bytes(cursor.fetchone()[0])
    assert bank_account(alice)["id"] == made["id"]


@pytest.mark.parametrize("number", ["123", "12345678901", "abcdefghij", "", 123, "012345678\n", "０１２３４５６７８９"])
def test_a_bank_account_must_be_one(alice, number):
    body = {"bank_code": "058", "account_number": number, "currency": "NGN"}
    assert alice.http.post("bank-accounts", body).code == "validation_error"
    assert alice.http.get("bank-accounts").body["results"] == []


def test_a_removed_bank_account_is_paid_no_more(alice, charlie, purse):
    account = bank_account(alice)
    assert charlie.http.delete(f"bank-accounts/{account['id']}").status == 404
    assert alice.http.delete(f"bank-accounts/{account['id']}").status == 204
    body = {"amount": 1, "bank_account": account["id"]}
    assert alice.http.post(f"wallets/{purse.id}/withdrawals", body).code == "not_found"
    assert bank_account(alice)["id"] != account["id"]


def test_a_withdrawal_holds_its_money_before_anybody_is_answered(alice, purse):
    asked = ask(alice, purse)
    assert (asked.status, asked.body["status"], asked.body["amount"], asked.body["fee"]) == (202, "pending", 400, 0)
    assert asked.headers["Location"] == f"/api/v1/withdrawals/{asked.body['id']}"
    assert balance(alice.http, purse) == (1_000, 400, 0, 600)
    assert not SandboxPayout.objects.exists()


def test_a_withdrawal_is_paid_and_settled(alice, worker, purse):
    asked = ask(alice, purse).body
    worker.until(alice, asked["id"], "completed")
    found = alice.http.get(f"withdrawals/{asked['id']}").body
    assert (found["status"], found["failure"]) == ("completed", None)
    assert balance(alice.http, purse) == (600, 0, 0, 600)
    newest = alice.http.get(f"wallets/{purse.id}/transactions").body["results"][0]
    assert (newest["type"], newest["amount"], newest["id"]) == ("withdrawal", 400, found["transaction"])
    assert newest["related"] == {"kind": "withdrawal", "id": asked["id"]}
    assert SandboxPayout.objects.get().amount == 400
    assert books_are_clean()


@pytest.mark.parametrize(("number", "code"), [(REFUSED, "refused_by_bank"), (FAILS_LATER, "returned_by_bank")])
def test_what_the_bank_refuses_is_given_back(alice, worker, purse, number, code):
    asked = ask(alice, purse, number=number).body
    worker.until(alice, asked["id"], "failed")
    found = alice.http.get(f"withdrawals/{asked['id']}").body
    assert (found["status"], found["failure"]["code"]) == ("failed", code)
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)
    assert books_are_clean()


def test_a_timeout_after_acceptance_is_asked_about_and_never_sent_again(alice, worker, purse):
    asked = ask(alice, purse, number=TIMES_OUT).body
    worker.later()
    assert PayoutAttempt.objects.get().outcome == "unknown"
    assert balance(alice.http, purse) == (1_000, 400, 0, 600)
    worker.until(alice, asked["id"], "completed")
    assert (SandboxPayout.objects.count(), PayoutAttempt.objects.get().outcome) == (1, "paid")
    assert balance(alice.http, purse) == (600, 0, 0, 600)


def test_a_payout_that_stays_pending_keeps_its_hold(alice, worker, purse):
    ask(alice, purse, number=STUCK)
    for pause in (0, 5, 60, 3_600, 86_400):
        worker.later(pause)
    assert Withdrawal.objects.get().status == "processing"
    assert Withdrawal.objects.get().hold.status == "open"
    assert (SandboxPayout.objects.count(), PayoutAttempt.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": 1_001}, 422, "insufficient_funds"), ({"bank_account": "dollars"}, 422, "currency_mismatch"),
        ({"bank_account": "theirs"}, 404, "not_found"), ({"amount": 0}, 400, "validation_error"),
        ({"fee": 0}, 400, "validation_error"), ({"bank_account": None}, 400, "validation_error"),
    ],
)  # fmt: skip
def test_a_withdrawal_that_cant_be_holds_nothing(alice, bob, purse, change, status, code):
    names = {"dollars": bank_account(alice, currency="USD")["id"], "theirs": bank_account(bob)["id"]}
    body = {"amount": 5, "bank_account": bank_account(alice)["id"]}
    body |= {field: names.get(value, value) for field, value in change.items()}
    refused = alice.http.post(f"wallets/{purse.id}/withdrawals", body)
    assert (refused.status, refused.code) == (status, code)
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)
    assert not Withdrawal.objects.exists()


def test_the_same_key_withdraws_once(alice, purse):
    first, again = ask(alice, purse, key="w-1"), ask(alice, purse, key="w-1")
    assert (again.status, again.body) == (202, first.body)
    assert balance(alice.http, purse) == (1_000, 400, 0, 600)


def test_strangers_see_no_withdrawals(alice, charlie, purse):
    asked = ask(alice, purse).body
    assert charlie.http.get(f"withdrawals/{asked['id']}").status == 404
    assert charlie.http.get("withdrawals").body["results"] == []
    assert [
        found["id"] for found in alice.http.get(f"withdrawals?wallet={purse.id}&status=pending").body["results"]
    ] == [asked["id"]]


def test_a_full_queue_takes_no_more_and_holds_nothing(alice, purse, settings):
    settings.WITHDRAWAL_QUEUE_LIMIT = 1
    assert ask(alice, purse, 10).status == 202
    refused = ask(alice, purse, 10, key="w-2")
    assert (refused.status, refused.code) == (503, "queue_full")
    assert int(refused.headers["Retry-After"]) > 0
    assert balance(alice.http, purse) == (1_000, 10, 0, 990)
    settings.WITHDRAWAL_QUEUE_LIMIT = 5
    assert ask(alice, purse, 10, key="w-2").status == 202


def test_a_worker_that_dies_before_the_call_leaves_an_attempt_that_is_asked_about(alice, worker, purse, monkeypatch):
    asked = ask(alice, purse).body
    monkeypatch.setattr(payout, "_order", _die)
    worker.later()
    monkeypatch.undo()
    assert (Withdrawal.objects.get().status, PayoutAttempt.objects.get().outcome) == ("processing", "unknown")
    assert not SandboxPayout.objects.exists()
    worker.until(alice, asked["id"], "completed", seconds=30)
    assert (SandboxPayout.objects.count(), PayoutAttempt.objects.count()) == (1, 1)


def test_a_worker_that_dies_after_the_call_pays_once(alice, worker, purse, monkeypatch):
    asked = ask(alice, purse).body
    monkeypatch.setattr(payout, "_write_submitted", _die)
    worker.later()
    monkeypatch.undo()
    assert SandboxPayout.objects.count() == 1
    worker.until(alice, asked["id"], "completed", seconds=120)
    assert (SandboxPayout.objects.count(), PayoutAttempt.objects.count()) == (1, 1)
    assert Withdrawal.objects.get().transaction_id
    assert books_are_clean()


def _die(*_args, **_kwargs):
    raise SystemError("the worker died here")


def test_a_late_worker_leaves_its_answer_to_the_one_who_has_the_claim(alice, worker, purse):
    asked = ask(alice, purse).body
    late = claim(Withdrawal.objects.get().pk, worker.now)
    worker.later(31)
    payout._write_submitted(late, SubmitResult(SubmitOutcome.REJECTED, detail="too late"), worker.now)
    assert Withdrawal.objects.get().status == "processing"
    worker.until(alice, asked["id"], "completed", seconds=120)


def test_not_found_is_no_proof_until_its_grace_is_over(alice, worker, purse):
    ask(alice, purse)
    claimed = claim(Withdrawal.objects.get().pk, worker.now)
    payout._write_state(claimed, PayoutState(RemoteStatus.NOT_FOUND), worker.now)
    assert (PayoutAttempt.objects.get().outcome, Withdrawal.objects.get().status) == ("unknown", "processing")
    assert Withdrawal.objects.get().hold.status == "open"


@pytest.mark.parametrize(
    "state", [PayoutState(RemoteStatus.SUCCEEDED, 399, "NGN"), PayoutState(RemoteStatus.SUCCEEDED, 400, "GHS")]
)
def test_a_bank_that_paid_something_else_needs_a_person(alice, worker, purse, state):
    ask(alice, purse)
    payout._write_state(claim(Withdrawal.objects.get().pk, worker.now), state, worker.now)
    assert Withdrawal.objects.get().status == "in_review"
    assert Withdrawal.objects.get().hold.status == "open"


def test_a_bank_that_stays_silent_needs_a_person_after_a_while(alice, worker, purse):
    ask(alice, purse)
    claimed = claim(Withdrawal.objects.get().pk, worker.now)
    payout._write_state(claimed, PayoutState(RemoteStatus.UNKNOWN), worker.now + timing.PATIENCE + timedelta(seconds=1))
    assert Withdrawal.objects.get().status == "in_review"


def test_a_reference_is_made_from_the_withdrawal_and_fits_every_provider(alice, worker, purse):
    ask(alice, purse)
    worker.later()
    reference = PayoutAttempt.objects.get().reference
    assert reference == f"wdr_{Withdrawal.objects.get().pk.hex}_1"
    assert 16 <= len(reference) <= 50


def test_the_sandbox_bank_takes_a_reference_once():
    bank = provider("sandbox")
    order = payout.PayoutOrder("wdr_same", 5, "NGN", "058", GOOD, "A", "x")
    assert [bank.submit_payout(order).outcome for _ in range(2)] == ["accepted", "already_exists"]


def test_many_workers_at_once_take_a_withdrawal_one_step(committed, worker, alice, purse):
    ask(alice, purse)
    id = Withdrawal.objects.get().pk
    taken = at_once(6, lambda number: payout.advance(id, clock=lambda: worker.now))
    assert sorted(taken) == [False] * 5 + [True]
    assert (PayoutAttempt.objects.count(), SandboxPayout.objects.count()) == (1, 1)


def test_a_sweep_goes_on_past_one_that_fails(alice, worker, purse, monkeypatch):
    first, second = ask(alice, purse, 10, number=REFUSED).body, ask(alice, purse, 20).body
    real = payout.advance

    def advance(withdrawal_id, *, clock):
        if str(withdrawal_id) == first["id"]:
            raise ValueError("a defect")
        return real(withdrawal_id, clock=clock)

    monkeypatch.setattr(payout, "advance", advance)
    worker.later()
    assert Withdrawal.objects.get(pk=second["id"]).status == "processing"


def test_banks_are_listed(alice):
    banks = alice.http.get("banks?country=NG&currency=NGN").body["results"]
    assert {"code": "058", "name": "Guaranty Trust Bank"} in banks
    assert alice.http.get("banks?provider=nobody").code == "validation_error"
