"""Deliveries of providers: verified over their bytes, stored once, answered with 200, and never believed."""

import hmac
import random
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.testcases import LiveServerThread, _StaticFilesHandler

from wallets import metrics, tasks
from wallets.models import SandboxPayout, UnmatchedReceipt, WebhookEvent, Withdrawal
from wallets.providers.enabled import enabled, known
from wallets.providers.sandbox import webhooks
from wallets.providing import provider, registry
from wallets.sandbox_bank import checkouts, delivery
from wallets.tests.conftest import balance, books_are_clean, join
from wallets.tests.test_once import at_once
from wallets.tests.test_withdrawals import ask as withdraw
from wallets.topups import credit
from wallets.webhooks import inbox, intake

START = datetime(2030, 1, 1, tzinfo=UTC)
# The headers that any provider of ours signs in.
SIGNED_IN = ("x-sandbox-timestamp", "x-sandbox-signature", "x-paystack-signature", "verif-hash", "signature")


def by_sandbox(body):
    return delivery.signed(body, now=datetime.now(UTC))


def sha512(key, body):
    return hmac.new(key.encode(), body, "sha512").hexdigest()


# How each provider signs, with these keys.
KEYS = {
    "PAYSTACK_SECRET_KEY": "sk_test_example", "FLUTTERWAVE_SECRET_KEY": "FLWSECK_TEST-example",
    "FLUTTERWAVE_WEBHOOK_SECRETS": "flw_hash_example", "FINCRA_API_KEY": "example", "FINCRA_PUBLIC_KEY": "example",
    "FINCRA_BUSINESS_ID": "example", "FINCRA_WEBHOOK_SECRETS": "fincra_whsec_example",
}  # fmt: skip
SIGNERS = {
    "sandbox": by_sandbox,
    "paystack": lambda body: {"x-paystack-signature": sha512("sk_test_example", body)},
    "flutterwave": lambda body: {"verif-hash": "flw_hash_example"},
    "fincra": lambda body: {"signature": sha512("fincra_whsec_example", body)},
}
# Whose signature says nothing about the body, so that any body passes under it.
BODY_UNSIGNED = {"flutterwave"}


def post(body, headers, slug="sandbox"):
    headers = dict(headers)
    kind = headers.pop("Content-Type", "application/json")
    client = Client(raise_request_exception=False)
    return client.generic("POST", f"/api/v1/webhooks/{slug}", body, content_type=kind, headers=headers)


def signed(body):
    return post(body, by_sandbox(body))


def event(name="deposit.paid", id="evt-1", **data):
    return msgspec.json.encode({"id": id, "event": name, "data": data})


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def alice(clock, database):
    return join("alice@example.com", "Alice")


def test_a_delivery_is_stored_as_it_came_and_answered_with_exactly_200():
    body = event(reference="dep-x", id="chk_1")
    answer = post(body, by_sandbox(body) | {"User-Agent": "bank/1.0"})
    assert (answer.status_code, answer.content) == (200, b"")
    stored = WebhookEvent.objects.get()
    assert (bytes(stored.body), bytes(stored.sha256)) == (body, sha256(body).digest())
    assert (stored.provider, stored.kind, stored.reference, stored.state) == ("sandbox", "deposit", "dep-x", "waiting")
    assert stored.headers == {"content-type": "application/json", "user-agent": "bank/1.0"}


def test_a_delivery_that_comes_again_is_stored_once():
    body = event()
    assert [signed(body).status_code for _ in range(3)] == [200] * 3
    assert WebhookEvent.objects.count() == 1


def test_what_was_handled_and_is_said_again_is_asked_about_again(clock):
    for body in (event(id="evt-1", reference="dep-x"), event(id="evt-2"), event("payout.paid", reference="wdr-x")):
        signed(body)
        WebhookEvent.objects.update(state="done", next_at=None, handled_at=START)
        assert signed(body).status_code == 200
        told = WebhookEvent.objects.latest("id")
        assert (told.state, told.next_at) == ("waiting", START)
    assert WebhookEvent.objects.count() == 3


def test_a_body_is_let_go_after_a_time_and_what_it_led_to_stays(clock, settings):
    settings.WEBHOOK_BODY_DAYS = 90
    bodies = [event(id=f"evt-{number}", reference="dep-x") for number in range(3)]
    for body in bodies:
        signed(body)
    first, dead, _ = WebhookEvent.objects.order_by("id")
    for row, state in ((first, "done"), (dead, "dead")):
        WebhookEvent.objects.filter(pk=row.pk).update(state=state, next_at=None, handled_at=START, outcome="Credited.")
    clock.move_to(START + timedelta(days=89))
    tasks.forget_bodies()
    assert WebhookEvent.objects.filter(body=None).count() == 0
    clock.move_to(START + timedelta(days=91))
    tasks.forget_bodies()
    assert [row.body is None for row in WebhookEvent.objects.order_by("id")] == [True, True, False]
    first.refresh_from_db()
    assert (bytes(first.sha256), first.outcome, first.reference) == (sha256(bodies[0]).digest(), "Credited.", "dep-x")
    assert signed(bodies[0]).status_code == 200
    assert WebhookEvent.objects.count() == 3, "it is still known"


def test_other_bytes_under_the_same_key_are_kept_and_flagged():
    first, other = event(amount=1), event(amount=2)
    for body in (first, other, first, other):
        assert signed(body).status_code == 200
    kept = WebhookEvent.objects.order_by("id")
    assert [(bytes(row.body), row.contradicts) for row in kept] == [(first, False), (other, True)]


@pytest.mark.parametrize(
    "body", [event("refund.made"), b"", b"[]", b"nonsense", b'{"id": 1}', b"\xff\xfe", b"[" * 9_999]
)
def test_what_means_nothing_to_us_is_kept_for_a_person(body):
    assert signed(body).status_code == 200
    stored = WebhookEvent.objects.get()
    assert (stored.kind, stored.state, stored.next_at, bytes(stored.body)) == ("other", "done", None, body)


def test_text_that_no_column_holds_is_no_error():
    strange = "a\0b\ud800"
    body = b'{"id":"%s","event":"deposit.paid","data":{"reference":"a\\u0000b\\ud800","id":"%s"}}' % (
        b"k" * 999,
        b"x" * 999,
    )
    assert signed(body).status_code == 200
    stored = WebhookEvent.objects.get()
    assert (stored.reference, len(stored.provider_id), strange[:1]) == ("ab?", 100, "a")
    assert stored.dedupe_key.startswith("sha256:")


@pytest.fixture
def all_providers(settings, monkeypatch):
    """Each provider that there is, with keys of its own."""
    names = {"PROVIDERS": ",".join(SIGNERS), "SECRET_KEY": settings.SECRET_KEY}
    settings.PROVIDERS = enabled(KEYS | names, production=False)
    registry.cache_clear()
    yield
    registry.cache_clear()


def test_every_provider_is_tried():
    assert sorted(SIGNERS) == known()


@pytest.mark.parametrize("slug", SIGNERS)
def test_two_hundred_forged_or_mutated_deliveries_store_nothing(all_providers, slug):
    chance = random.Random(slug)
    body = event(reference="dep-x", id="chk_1")
    genuine = SIGNERS[slug](body)
    kinds = (0, 3, 4) if slug in BODY_UNSIGNED else (0, 1, 2, 3, 4)
    for number in range(200):
        kind = kinds[number % len(kinds)]
        headers, sent = dict(genuine), body
        if kind == 0:
            headers = {name: chance.choice(["", "0", "ü", chance.randbytes(64).hex()]) for name in SIGNED_IN}
        elif kind == 1:
            at = chance.randrange(len(body))
            sent = body[:at] + bytes([body[at] ^ (1 << chance.randrange(8))]) + body[at + 1 :]
        elif kind == 2:
            sent = body[: chance.randrange(len(body))] if number % 2 else body + chance.randbytes(3)
        elif kind == 3:
            name = chance.choice([name for name in headers if name in SIGNED_IN])
            at = chance.randrange(len(headers[name]))
            headers[name] = headers[name][:at] + chance.choice("GHXYZ") + headers[name][at + 1 :]
        else:
            headers.pop(chance.choice([name for name in headers if name in SIGNED_IN]))
        answer = post(sent, headers, slug)
        assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid"), (kind, headers)
    assert not WebhookEvent.objects.exists()
    assert post(body, genuine, slug).status_code == 200


def test_an_old_delivery_cant_be_played_back(clock):
    body = event()
    headers = by_sandbox(body)
    clock.shift(webhooks.WINDOW + 1)
    assert post(body, headers).status_code == 401
    assert not WebhookEvent.objects.exists()


def test_secrets_rotate_without_a_gap(monkeypatch):
    monkeypatch.setattr(provider("sandbox"), "_secrets", ("new", "old"))
    for number, secret in enumerate(("new", "old")):
        body = event(id=f"evt-{number}")
        assert post(body, webhooks.headers(secret, int(datetime.now(UTC).timestamp()), body)).status_code == 200
    monkeypatch.setattr(provider("sandbox"), "_secrets", ("new",))
    assert post(body, webhooks.headers("old", int(datetime.now(UTC).timestamp()), body)).status_code == 401


@pytest.mark.parametrize(
    ("slug", "body", "status", "code"),
    [
        ("nobody", b"{}", 404, "not_found"), ("sandbox", b"x" * (intake.BODY_LIMIT + 1), 413, "body_too_large"),
        ("%00", b"{}", 404, "not_found"), ("sandbox%2F..", b"{}", 404, "not_found"),
    ],
)  # fmt: skip
def test_what_cant_be_delivered_is_told_so(slug, body, status, code):
    answer = post(body, by_sandbox(body), slug)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Client().get("/api/v1/webhooks/sandbox").status_code == 405
    assert not WebhookEvent.objects.exists()


def test_a_large_delivery_is_taken():
    body = event(note="x" * (intake.BODY_LIMIT - 200))
    assert signed(body).status_code == 200


def test_a_burst_of_deliveries_is_never_told_to_slow_down(settings):
    settings.RATELIMIT_ENABLE, settings.RATELIMIT_ADDRESS = True, "5/m"
    assert {signed(event(id=f"evt-{number}")).status_code for number in range(20)} == {200}
    assert {post(b"{}", {}).status_code for _ in range(20)} == {401, 429}
    assert signed(event(id="evt-last")).status_code == 200


def test_what_a_provider_said_is_never_rewritten():
    signed(event())
    for change in ("body = ''", "sha256 = ''", "dedupe_key = 'x'", "headers = '{}'"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE wallets_webhookevent SET {change}")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM wallets_webhookevent")


def test_eight_at_once_are_one_row_and_one_credit(committed, clock, alice):
    wallet = alice.open()
    told = alice.http.post(f"wallets/{wallet.id}/top-ups", {"amount": 300}).body
    checkouts.pay(told["reference"], now=START)
    body = delivery.notice("deposit", told["reference"], now=START)
    headers = by_sandbox(body)

    def work(number):
        status = post(body, headers).status_code
        for id in inbox.due(now=START + timedelta(seconds=1)):
            inbox.handle(id, clock=lambda: START + timedelta(seconds=1))
        return status

    assert at_once(8, work) == [200] * 8
    assert WebhookEvent.objects.get().state == "done"
    assert balance(alice.http, wallet)[0] == 300
    assert books_are_clean()


def test_word_of_a_payout_makes_a_worker_ask_the_bank(clock, alice, shop):
    wallet = alice.open()
    shop.fund(wallet, 1_000)
    withdraw(alice, wallet)
    tasks.sweep_withdrawals()
    clock.shift(2)
    Withdrawal.objects.update(next_at=datetime.now(UTC) + timedelta(hours=1))
    reference = SandboxPayout.objects.get().reference
    assert signed(delivery.notice("payout", reference, now=datetime.now(UTC))).status_code == 200
    tasks.sweep_webhooks()
    tasks.sweep_withdrawals()
    assert Withdrawal.objects.get().status == "completed"
    assert WebhookEvent.objects.get().outcome == "The withdrawal is looked at."
    assert books_are_clean()


def test_word_of_nothing_we_know_moves_nothing(clock):
    signed(event("payout.paid", "evt-1", reference="wdr_unknown_1"))
    signed(event("deposit.refused", "evt-2", reference="dep-unknown"))
    signed(event("payout.paid", "evt-3"))
    for _ in range(20):
        tasks.sweep_webhooks()
        clock.shift(1_900)
    states = dict(WebhookEvent.objects.values_list("dedupe_key", "state"))
    assert states == {"evt-1": "done", "evt-2": "dead", "evt-3": "done"}
    assert not UnmatchedReceipt.objects.exists()
    assert books_are_clean()


def test_what_fails_each_time_ends_before_a_person_with_its_reason(clock, monkeypatch):
    signed(event())
    monkeypatch.setattr(credit, "take", _fail)
    tries = 0
    while WebhookEvent.objects.get().state == "waiting":
        before = WebhookEvent.objects.get().lease
        tasks.sweep_webhooks()
        tries += WebhookEvent.objects.get().lease - before
        clock.shift(400)
        assert tries <= inbox.MOST_TRIES
    stored = WebhookEvent.objects.get()
    assert (stored.state, stored.next_at, stored.outcome) == ("dead", None, "RuntimeError: a defect")
    assert tries == inbox.MOST_TRIES


def _fail(*args, **more):
    raise RuntimeError("a defect")


def test_one_event_that_fails_keeps_no_other_waiting(clock, alice, monkeypatch):
    wallet = alice.open()
    told = alice.http.post(f"wallets/{wallet.id}/top-ups", {"amount": 300}).body
    checkouts.pay(told["reference"], now=START)
    signed(event(id="evt-0", reference="dep-broken"))
    signed(delivery.notice("deposit", told["reference"], now=START))
    real = credit.take
    monkeypatch.setattr(
        credit,
        "take",
        lambda slug, reference, *a, **m: (_fail if reference == "dep-broken" else real)(slug, reference, *a, **m),
    )
    tasks.sweep_webhooks()
    assert balance(alice.http, wallet)[0] == 300


def test_the_bank_delivers_over_http(committed, settings):
    alice = join("alice@example.com", "Alice")
    wallet = alice.open()
    told = alice.http.post(f"wallets/{wallet.id}/top-ups", {"amount": 300}).body
    checkouts.pay(told["reference"], now=datetime.now(UTC))
    server = LiveServerThread("127.0.0.1", _StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    try:
        settings.SANDBOX_WEBHOOK_URL = f"http://127.0.0.1:{server.port}/api/v1/webhooks/sandbox"
        assert delivery.tell("deposit", told["reference"], now=datetime.now(UTC))
    finally:
        server.terminate()
    assert not delivery.tell("deposit", told["reference"], now=datetime.now(UTC)), "a lost webhook is no error"
    tasks.sweep_webhooks()
    assert balance(alice.http, wallet)[0] == 300
    assert books_are_clean()


def test_the_banks_page_takes_a_payment_once_and_only_from_itself(alice):
    wallet = alice.open()
    told = alice.http.post(f"wallets/{wallet.id}/top-ups", {"amount": 123_400}).body
    path, browser = f"/sandbox/checkout/{told['reference']}", Client(enforce_csrf_checks=True)
    page = browser.get(path).content.decode()
    assert "NGN 1,234.00" in page
    assert browser.post(path, {"action": "pay"}).status_code == 403
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    answer = browser.post(path, {"action": "pay", "csrfmiddlewaretoken": token})
    assert (answer.status_code, answer["Location"]) == (303, path)
    browser.post(path, {"action": "refuse", "csrfmiddlewaretoken": token})
    page = browser.get(path).content.decode()
    assert "Paid" in page
    assert "csrfmiddlewaretoken" not in page
    assert browser.get("/sandbox/checkout/dep-nothing").status_code == 404


def test_the_banks_page_sends_people_back(alice, settings):
    settings.TOP_UP_RETURN_URL = "https://shop.example/paid?from=bank"
    wallet = alice.open()
    reference = alice.http.post(f"wallets/{wallet.id}/top-ups", {"amount": 500}).body["reference"]
    answer = Client().post(f"/sandbox/checkout/{reference}", {"action": "refuse"})
    assert answer["Location"] == f"https://shop.example/paid?from=bank&reference={reference}"


def test_verdicts_are_counted():
    def verdict(name):
        labels = {"provider": "sandbox", "verdict": name}
        return metrics.COUNTED.get_sample_value("wallet_webhooks_total", labels) or 0.0

    names = ("stored", "duplicate", "forged", "unreadable")
    before = [verdict(name) for name in names]
    body = event(reference="dep-x", id="chk_1")
    for send in (lambda: signed(body), lambda: signed(body), lambda: post(body, {}), lambda: signed(b"not json")):
        send()
    assert [verdict(name) - was for name, was in zip(names, before, strict=True)] == [2, 1, 1, 1]
