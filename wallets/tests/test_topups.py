"""Money in through a provider: credited once when it confirms it, whatever is lost, doubled, late or wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
import time_machine
from django.test import Client

from users import sessions
from users.models import AuditEvent
from wallets import tasks
from wallets.models import SandboxCheckout, TopUp, UnmatchedReceipt, Wallet, WebhookEvent
from wallets.opening import InvalidState
from wallets.providers.port import CheckoutExists, DepositState, ProviderUnavailable, RemoteStatus
from wallets.providing import provider
from wallets.sandbox_bank import checkouts, delivery
from wallets.tests.conftest import PASSWORD, Http, balance, books_are_clean, join, standing
from wallets.tests.test_once import at_once
from wallets.topups import credit, follow, receipts
from wallets.topups.payments import Inconclusive
from wallets.transfers import CurrencyMismatch
from wallets.webhooks import inbox

START = datetime(2030, 1, 1, tzinfo=UTC)


class Worker:
    """Runs the sweeps as Celery would, and the bank's deliveries, at moments that a test chooses."""

    def __init__(self, traveller) -> None:
        self.traveller, self.now = traveller, START

    def later(self, seconds=0.0):
        self.now += timedelta(seconds=seconds)
        self.traveller.move_to(self.now)
        tasks.sweep_webhooks()
        tasks.sweep_top_ups()

    def pay(self, reference, tell=True):
        checkouts.pay(reference, now=self.now)
        if tell:
            self.tell(reference)

    def tell(self, reference):
        return deliver(delivery.notice("deposit", reference, now=self.now), self.now)


def deliver(body, now, provider="sandbox", **headers):
    headers = {**delivery.signed(body, now=now), **headers}
    kind = headers.pop("Content-Type")
    path = f"/api/v1/webhooks/{provider}"
    return Client(raise_request_exception=False).post(path, body, content_type=kind, headers=headers)


@pytest.fixture
def worker():
    with time_machine.travel(START, tick=False) as traveller:
        yield Worker(traveller)


@pytest.fixture
def alice(worker, database):
    return join("alice@example.com", "Alice")


@pytest.fixture
def purse(alice):
    return alice.open()


@pytest.fixture(autouse=True)
def the_books_are_clean_in_the_end(database):
    yield
    assert books_are_clean()


def ask(person, wallet, amount=5_000, key="", **more):
    return person.http.post(f"wallets/{wallet.id}/top-ups", {"amount": amount, **more}, key=key)


def shown(person, told):
    """A top-up as its owner sees it, however much time has passed since they logged in."""
    now = datetime.now(UTC)
    person.http.token = sessions.log_in(email=person.user.email, password=PASSWORD, now=now).access
    return person.http.get(f"top-ups/{told['id']}").body


def test_a_top_up_is_answered_with_where_to_pay(alice, purse):
    asked = ask(alice, purse)
    assert asked.status == 201
    told = asked.body
    assert (told["status"], told["provider"], told["amount"], told["currency"]) == ("pending", "sandbox", 5_000, "NGN")
    assert told["reference"] == f"dep-{told['id'].replace('-', '')}"
    assert told["checkout_url"].endswith(f"/sandbox/checkout/{told['reference']}")
    assert asked.headers["Location"] == f"/api/v1/top-ups/{told['id']}"
    assert balance(alice.http, purse) == (0, 0, 0, 0)


def test_a_paid_top_up_is_credited_when_the_webhook_comes(alice, worker, purse):
    told = ask(alice, purse).body
    worker.pay(told["reference"])
    assert balance(alice.http, purse) == (0, 0, 0, 0), "a webhook moves no money"
    worker.later()
    found = shown(alice, told)
    assert (found["status"], found["failure"]) == ("completed", None)
    assert balance(alice.http, purse) == (5_000, 0, 0, 5_000)
    newest = alice.http.get(f"wallets/{purse.id}/transactions").body["results"][0]
    assert (newest["type"], newest["amount"], newest["id"]) == ("deposit", 5_000, found["transaction"])
    assert newest["related"] == {"kind": "top_up", "id": told["id"]}
    assert AuditEvent.objects.filter(action="top_up.completed", object_id=told["id"]).count() == 1


def test_a_paid_top_up_is_credited_without_any_webhook(alice, worker, purse):
    told = ask(alice, purse).body
    worker.pay(told["reference"], tell=False)
    worker.later(60)
    assert balance(alice.http, purse) == (5_000, 0, 0, 5_000)
    assert TopUp.objects.get().next_at is None


def test_what_the_provider_keeps_is_an_expense_and_the_wallet_gets_it_all(alice, worker, purse):
    worker.pay(ask(alice, purse, 5_015).body["reference"])
    worker.later()
    assert balance(alice.http, purse)[0] == 5_015
    assert standing("expenses:provider_fees:NGN") == 15
    assert standing("assets:clearing:sandbox:NGN") == 5_000
    assert provider("sandbox").fetch_balances("NGN")[0].ledger == 50


def test_half_a_minor_unit_of_a_fee_is_posted_with_the_next_half(alice, purse):
    for number in (1, 2):
        told = ask(alice, purse).body
        state = DepositState(
            RemoteStatus.SUCCEEDED, told["reference"], 5_000, "NGN", f"p-{number}", fee=Decimal("0.125")
        )
        credit.take("sandbox", told["reference"], state, now=START)
        assert standing("expenses:provider_fees:NGN") == (12, 25)[number - 1]
    assert standing("assets:clearing:sandbox:NGN") == 10_000 - 25


def test_another_amount_waits_for_a_person_who_gives_it_to_a_wallet(alice, worker, purse):
    told = ask(alice, purse, 5_007).body
    worker.pay(told["reference"])
    worker.later()
    assert balance(alice.http, purse)[0] == 0
    found = shown(alice, told)
    assert (found["status"], found["failure"]["code"]) == ("failed", "amount_differs")
    receipt = UnmatchedReceipt.objects.get()
    assert (receipt.amount, receipt.reason, str(receipt.top_up_id)) == (5_006, "amount_differs", told["id"])
    assert standing("liabilities:suspense:sandbox:NGN") == 5_006
    dollars = alice.open("USD")
    with pytest.raises(CurrencyMismatch):
        assign(receipt, dollars, alice)
    assign(receipt, purse, alice)
    assert balance(alice.http, purse)[0] == 5_006
    assert standing("liabilities:suspense:sandbox:NGN") == 0
    with pytest.raises(InvalidState):
        assign(receipt, purse, alice)
    assert balance(alice.http, purse)[0] == 5_006


def assign(receipt, wallet, person):
    return receipts.assign(
        receipt_id=receipt.pk, wallet_id=wallet.pk, by=person.caller, reason="She showed her receipt.", now=START
    )


def test_money_that_nobody_announced_is_kept_and_listed_once(worker, alice, purse):
    collection = checkouts.receive(700, "NGN", payer="Zoë", now=START)
    worker.tell(collection.reference)
    worker.later()
    worker.tell(collection.reference)
    worker.later(60)
    receipt = UnmatchedReceipt.objects.get()
    assert (receipt.reason, receipt.amount, receipt.payment_id) == ("unannounced", 700, collection.number)
    assert standing("liabilities:suspense:sandbox:NGN") == 700


def test_a_payment_with_a_reference_that_isnt_ours_is_kept(worker, alice, purse):
    checkouts.open_checkout("dep-elsewhere", checkouts.Terms(800, "NGN", "Zoë", ""), now=START)
    worker.pay("dep-elsewhere")
    worker.later()
    assert UnmatchedReceipt.objects.get().reason == "unknown_reference"


def test_a_closed_wallet_gets_nothing_and_the_money_is_kept(worker, alice, purse):
    told = ask(alice, purse).body
    Wallet.objects.filter(pk=purse.pk).update(status="closed", is_default=False)
    worker.pay(told["reference"])
    worker.later()
    assert UnmatchedReceipt.objects.get().reason == "wallet_closed"
    assert ask(alice, purse).code == "wallet_closed"


def test_a_second_payment_for_one_top_up_is_kept(worker, alice, purse):
    told = ask(alice, purse).body
    worker.pay(told["reference"])
    worker.later()
    SandboxCheckout.objects.update(number="chk_second")
    worker.tell(told["reference"])
    worker.later()
    assert balance(alice.http, purse)[0] == 5_000
    assert UnmatchedReceipt.objects.get().reason == "paid_twice"


def test_a_second_wrong_payment_is_kept_beside_the_first(worker, alice, purse):
    told = ask(alice, purse, 5_007).body
    worker.pay(told["reference"])
    worker.later()
    SandboxCheckout.objects.update(number="chk_second")
    worker.tell(told["reference"])
    worker.later()
    kept = UnmatchedReceipt.objects.order_by("id")
    assert [(receipt.amount, receipt.reason) for receipt in kept] == [(5_006, "amount_differs")] * 2
    assert kept[1].payment_id == "chk_second"


def test_one_payment_with_two_names_is_one_payment(worker, alice, purse):
    told = ask(alice, purse).body
    worker.pay(told["reference"])
    worker.later()
    state = provider("sandbox").query_deposit(told["reference"], "")
    renamed = replace(state, provider_id="another name")
    assert credit.take("sandbox", told["reference"], renamed, now=START) == "It was credited before."
    assert not UnmatchedReceipt.objects.exists()
    less = ask(alice, purse, 7).body
    worker.pay(less["reference"])
    worker.later()
    renamed = replace(provider("sandbox").query_deposit(less["reference"], ""), provider_id="another name")
    assert credit.take("sandbox", less["reference"], renamed, now=START) == "It was kept for a person before."
    assert UnmatchedReceipt.objects.count() == 1


@pytest.mark.parametrize(
    "state",
    [
        DepositState(RemoteStatus.SUCCEEDED, "", None, "NGN", "p-1"), DepositState(RemoteStatus.SUCCEEDED, "", 5_000),
        DepositState(RemoteStatus.SUCCEEDED, "dep-other", 5_000, "NGN", "p-1"), DepositState(RemoteStatus.UNKNOWN),
        DepositState(RemoteStatus.SUCCEEDED, "", 5_000, "XXX", "p-1"), DepositState(RemoteStatus.NOT_FOUND),
    ],
)  # fmt: skip
def test_an_answer_that_says_too_little_moves_nothing(worker, alice, purse, state):
    told = ask(alice, purse).body
    with pytest.raises(Inconclusive):
        credit.take("sandbox", told["reference"], state, now=START)
    assert TopUp.objects.get().status == "pending"
    assert not UnmatchedReceipt.objects.exists()


def test_another_currency_waits_for_a_person(worker, alice, purse):
    told = ask(alice, purse).body
    state = DepositState(RemoteStatus.SUCCEEDED, told["reference"], 5_000, "GHS", "p-1", fee=Decimal("0.005"))
    credit.take("sandbox", told["reference"], state, now=START)
    assert UnmatchedReceipt.objects.get().reason == "currency_differs"
    assert standing("liabilities:suspense:sandbox:GHS") == standing("assets:clearing:sandbox:GHS") == 5_000
    assert balance(alice.http, purse)[0] == 0


@pytest.mark.parametrize("status", [RemoteStatus.FAILED, RemoteStatus.REVERSED])
def test_what_is_credited_isnt_taken_back_without_a_person(worker, alice, purse, status):
    told = ask(alice, purse).body
    worker.pay(told["reference"])
    worker.later()
    with pytest.raises(Inconclusive):
        credit.take("sandbox", told["reference"], DepositState(status, told["reference"]), now=START)
    assert balance(alice.http, purse)[0] == 5_000


@pytest.mark.parametrize("amount", [5_001, 5_000])
def test_what_isnt_paid_ends_the_top_up(worker, alice, purse, amount):
    told = ask(alice, purse, amount).body
    (checkouts.pay if amount == 5_001 else checkouts.refuse)(told["reference"], now=START)
    worker.tell(told["reference"])
    worker.later()
    found = shown(alice, told)
    assert (found["status"], found["failure"]["code"]) == ("failed", "not_paid")


def test_an_abandoned_top_up_expires_and_is_asked_about_once_more(worker, alice, purse):
    told = ask(alice, purse).body
    for _ in range(60):
        worker.later(1_800)
    assert shown(alice, told)["status"] == "expired"
    worker.pay(told["reference"], tell=False)
    for _ in range(48):
        worker.later(1_800)
    assert shown(alice, told)["status"] == "completed"
    assert balance(alice.http, purse)[0] == 5_000


def test_nobody_is_asked_about_an_expired_top_up_for_ever(worker, alice, purse):
    ask(alice, purse)
    for _ in range(120):
        worker.later(1_800)
    top_up = TopUp.objects.get()
    assert (top_up.status, top_up.next_at) == ("expired", None)
    assert 20 < top_up.checks < 50


def test_a_payment_after_a_refusal_is_credited_all_the_same(worker, alice, purse):
    told = ask(alice, purse).body
    checkouts.refuse(told["reference"], now=START)
    worker.later(60)
    assert TopUp.objects.get().status == "failed"
    SandboxCheckout.objects.update(status="paid", paid=5_000)
    worker.tell(told["reference"])
    worker.later()
    found = shown(alice, told)
    assert (found["status"], found["failure"]) == ("completed", None)
    assert balance(alice.http, purse)[0] == 5_000


def test_a_payment_after_a_refusal_is_credited_without_any_webhook(worker, alice, purse):
    told = ask(alice, purse).body
    checkouts.refuse(told["reference"], now=START)
    worker.later(60)
    assert shown(alice, told)["status"] == "failed"
    SandboxCheckout.objects.update(status="paid", paid=5_000)
    worker.later(60)
    assert shown(alice, told)["status"] == "completed"
    assert balance(alice.http, purse)[0] == 5_000


def test_nobody_is_asked_about_a_refused_top_up_for_ever(worker, alice, purse):
    told = ask(alice, purse).body
    checkouts.refuse(told["reference"], now=START)
    for _ in range(120):
        worker.later(1_800)
    top_up = TopUp.objects.get()
    assert (top_up.status, top_up.failure_code, top_up.next_at) == ("failed", "not_paid", None)
    assert 20 < top_up.checks < 50
    assert AuditEvent.objects.filter(action="top_up.failed").count() == 1


def test_every_order_of_events_ends_in_one_state(worker, alice, purse):
    """A refusal, a payment, that payment again, and a look without any webhook."""
    ended = set()
    for order in permutations(range(4)):
        told = ask(alice, purse, 100).body
        reference = told["reference"]
        checkouts.refuse(reference, now=worker.now)
        refused = delivery.notice("deposit", reference, now=worker.now)
        SandboxCheckout.objects.filter(pk=reference).update(status="paid", paid=100)
        paid = delivery.notice("deposit", reference, now=worker.now)
        for step in order:
            if step < 3:
                assert deliver((refused, paid, paid)[step], worker.now).status_code == 200
            worker.later(60 if step == 3 else 0)
        found = shown(alice, told)
        ended.add((found["status"], found["failure"], WebhookEvent.objects.filter(reference=reference).count()))
    assert ended == {("completed", None, 2)}
    assert balance(alice.http, purse)[0] == 24 * 100


def test_the_same_key_starts_one_top_up(alice, purse):
    first, again = ask(alice, purse, key="t-1"), ask(alice, purse, key="t-1")
    assert (again.status, again.body, again.headers["Idempotent-Replayed"]) == (201, first.body, "true")
    assert ask(alice, purse, 6_000, key="t-1").code == "idempotency_key_reused"
    assert TopUp.objects.count() == SandboxCheckout.objects.count() == 1


def test_a_provider_that_is_away_is_tried_again_with_the_same_reference(alice, purse):
    away = ask(alice, purse, 5_002, key="t-1")
    assert (away.status, away.code) == (503, "provider_unavailable")
    assert int(away.headers["Retry-After"]) > 0
    assert ask(alice, purse, 6_000, key="t-1").code == "idempotency_key_reused"
    again = ask(alice, purse, 5_002, key="t-1")
    assert (again.status, again.body["reference"]) == (201, TopUp.objects.get().reference)
    assert SandboxCheckout.objects.count() == 1


def test_a_checkout_whose_address_was_lost_is_opened_anew_under_another_reference(alice, worker, purse, monkeypatch):
    bank, asked = provider("sandbox"), []
    really = bank.start_deposit

    def start_deposit(intent):
        asked.append(intent.reference)
        if len(asked) < 3:
            raise CheckoutExists("It has one.")
        return really(intent)

    monkeypatch.setattr(bank, "start_deposit", start_deposit)
    lost = [ask(alice, purse, key="t-1").code for _ in range(2)]
    told = ask(alice, purse, key="t-1").body
    assert lost == ["provider_unavailable"] * 2
    assert asked == [asked[0], f"{asked[0]}-2", f"{asked[0]}-3"]
    assert told["reference"] == asked[-1]
    worker.pay(told["reference"])
    worker.later()
    assert shown(alice, told)["status"] == "completed"
    (item,) = alice.http.get(f"wallets/{purse.id}/transactions").body["results"]
    assert item["related"] == {"kind": "top_up", "id": told["id"]}


def test_a_request_that_was_overtaken_doesnt_give_another_reference_its_checkout(alice, purse, monkeypatch):
    bank = provider("sandbox")
    really = bank.start_deposit

    def start_deposit(intent):
        TopUp.objects.update(reference=f"{intent.reference}-2", opening_until=None)
        return really(intent)

    monkeypatch.setattr(bank, "start_deposit", start_deposit)
    assert ask(alice, purse, key="t-1").code == "idempotency_in_progress"
    assert TopUp.objects.get().checkout_url == ""


def test_the_provider_is_called_after_the_wish_is_committed_with_no_transaction_open(
    committed, alice, purse, monkeypatch
):
    from django.db import connection

    seen = []

    def start_deposit(intent):
        seen.append((connection.in_atomic_block, TopUp.objects.filter(reference=intent.reference).count()))
        raise ProviderUnavailable("away")

    monkeypatch.setattr(provider("sandbox"), "start_deposit", start_deposit)
    assert ask(alice, purse).status == 503
    assert seen == [(False, 1)]


def test_a_storm_of_one_key_opens_one_checkout(committed, alice, purse):
    answers = at_once(6, lambda number: ask_as(alice.http.token, purse, "t-1"))
    assert {answer.status for answer in answers} <= {201, 409}
    assert any(answer.status == 201 for answer in answers)
    assert TopUp.objects.count() == SandboxCheckout.objects.count() == 1


def ask_as(token, wallet, key):
    return Http(token).post(f"wallets/{wallet.id}/top-ups", {"amount": 100}, key=key)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": 0}, 400, "validation_error"), ({"amount": 5, "provider": "nobody"}, 400, "validation_error"),
        ({"amount": 5, "reference": "x"}, 400, "validation_error"), ({}, 400, "validation_error"),
    ],
)  # fmt: skip
def test_a_top_up_that_cant_be_leaves_nothing(alice, purse, body, status, code):
    refused = alice.http.post(f"wallets/{purse.id}/top-ups", body)
    assert (refused.status, refused.code) == (status, code)
    assert not TopUp.objects.exists()


def test_members_who_spend_may_top_up_and_others_may_not(alice, bob, charlie, shop, purse):
    assert ask(charlie, purse).status == 404
    assert ask(shop, purse).code == "permission_denied"
    alice.http.post(f"wallets/{purse.id}/members", {"user": "bob@example.com", "role": "viewer"})
    assert ask(bob, purse).code == "permission_denied"
    assert not TopUp.objects.exists()
    alice.http.post(f"wallets/{purse.id}/members", {"user": "bob@example.com", "role": "spender"})
    made = ask(bob, purse)
    assert made.status == 201
    assert charlie.http.get(f"top-ups/{made.body['id']}").status == 404
    assert charlie.http.get("top-ups").body["results"] == []
    listed = alice.http.get(f"top-ups?wallet={purse.id}&status=pending").body["results"]
    assert [top_up["id"] for top_up in listed] == [made.body["id"]]


def test_a_worker_that_dies_between_asking_and_posting_credits_once(worker, alice, purse, monkeypatch):
    worker.pay(ask(alice, purse).body["reference"])
    monkeypatch.setattr(credit, "take", _die)
    for sweep in (tasks.sweep_webhooks, tasks.sweep_top_ups):
        with pytest.raises(KeyboardInterrupt):
            worker.later(20 if sweep is tasks.sweep_top_ups else 0)
    monkeypatch.undo()
    worker.later(1)
    assert balance(alice.http, purse)[0] == 0, "the leases still run"
    worker.later(120)
    worker.later(120)
    assert balance(alice.http, purse)[0] == 5_000
    assert WebhookEvent.objects.get().state == "done"


def _die(*args, **more):
    raise KeyboardInterrupt


def test_a_late_worker_and_a_quick_one_credit_once(worker, alice, purse):
    told = ask(alice, purse).body
    worker.pay(told["reference"])
    state = provider("sandbox").query_deposit(told["reference"], "")
    worker.later(60)
    assert credit.take("sandbox", told["reference"], state, now=worker.now) == "It was credited before."
    assert balance(alice.http, purse)[0] == 5_000


def test_many_workers_at_once_credit_once(committed, worker, alice, purse):
    worker.pay(ask(alice, purse).body["reference"])
    worker.traveller.move_to(START + timedelta(seconds=60))
    event, top_up = WebhookEvent.objects.get().pk, TopUp.objects.get().pk

    def clock():
        return START + timedelta(seconds=60)

    at_once(
        8, lambda number: (inbox.handle if number % 2 else follow.advance)((top_up, event)[number % 2], clock=clock)
    )
    worker.later(120)
    assert balance(alice.http, purse)[0] == 5_000
    assert not UnmatchedReceipt.objects.exists()
