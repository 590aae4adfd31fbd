"""Deposits, transfers, batches over HTTP: what moves, what doesn't, and what each answer says."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.db.models import F

from ledger import sql
from wallets.models import Transfer
from wallets.tests.conftest import balance, books_are_clean, service


def order(source, destination, amount=100, **more):
    return {"source": str(source.id), "destination": str(destination.id), "amount": amount, **more}


def test_a_deposit_is_seen_and_spent_at_once(shop, alice):
    wallet = alice.open()
    made = shop.fund(wallet, 1_170, reference="order-7", description="A sale", metadata={"order": 7})
    assert (made["status"], made["wallet"], made["amount"], made["currency"]) == (
        "completed",
        str(wallet.id),
        1_170,
        "NGN",
    )
    assert made["balance"]["available"] == 1_170
    assert (made["reference"], made["metadata"]) == ("order-7", {"order": 7})


def test_money_is_released_to_the_instant_without_any_worker(shop, alice, bobs):
    wallet, release = alice.open(), datetime(2030, 1, 1, 12, tzinfo=UTC)
    with time_machine.travel(release - timedelta(minutes=2), tick=False):
        made = shop.fund(wallet, 500, release_at=release.isoformat())
        assert made["release_at"] == "2030-01-01T12:00:00Z"
        assert (made["balance"]["pending"], made["balance"]["available"]) == (500, 0)
    with time_machine.travel(release - timedelta(microseconds=1), tick=False):
        alice = _fresh(alice)
        assert balance(alice.http, wallet) == (500, 0, 500, 0)
        assert alice.http.post("transfers", order(wallet, bobs, 1)).code == "insufficient_funds"
    with time_machine.travel(release, tick=False):
        assert balance(alice.http, wallet) == (500, 0, 0, 500)
        assert alice.http.post("transfers", order(wallet, bobs, 500)).body["balance"]["pending"] == 0
    assert books_are_clean()


def _fresh(person):
    """The same person with a token of this moment."""
    from users import sessions
    from wallets.tests.conftest import PASSWORD, Http, Person

    pair = sessions.log_in(email=person.user.email, password=PASSWORD, now=datetime.now(UTC))
    return Person(person.user, Http(pair.access))


def test_a_release_in_the_past_means_now(shop, alice):
    made = shop.fund(alice.open(), 10, release_at="2001-01-01T00:00:00Z")
    assert made["balance"]["available"] == 10
    assert made["release_at"] > "2020"


def test_a_release_is_the_same_moment_in_every_zone(shop, alice):
    wallet = alice.open()
    assert shop.fund(wallet, 10, release_at="2099-01-02T00:37:00+18:37")["release_at"] == "2099-01-01T06:00:00Z"
    assert shop.fund(wallet, 10, release_at="9999-12-31T23:59:59Z")["release_at"] == "9999-12-31T23:59:59Z"
    refused = shop.http.post(f"wallets/{wallet.id}/deposits", {"amount": 10, "release_at": "9999-12-31T23:00:00-01:30"})
    assert (refused.code, refused.body["errors"][0]["field"]) == ("validation_error", "release_at")
    assert balance(alice.http, wallet) == (20, 0, 20, 0)
    assert books_are_clean()


def test_only_services_with_the_scope_and_staff_deposit(alice, sade, purse):
    reader = service("reader", ("wallets:read",))
    for who in (alice, reader):
        assert who.http.post(f"wallets/{purse.id}/deposits", {"amount": 5}).code == "permission_denied"
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)
    assert sade.http.post(f"wallets/{purse.id}/deposits", {"amount": 5}).status == 201


def test_a_transfer_moves_money_and_says_so(alice, bob, purse, bobs):
    sent = alice.http.post(
        "transfers", order(purse, bobs, 300, description="Dinner", reference="d-1", metadata={"n": 1})
    )
    assert sent.status == 201
    assert sent.headers["Location"] == f"/api/v1/transfers/{sent.body['id']}"
    assert sent.body["balance"] | {"as_of": ""} == {
        "wallet": str(purse.id), "currency": "NGN", "exponent": 2, "balance": 700, "held": 0, "pending": 0,
        "available": 700, "version": 2, "as_of": "",
    }  # fmt: skip
    found = bob.http.get(f"transfers/{sent.body['id']}").body
    assert found == {name: value for name, value in sent.body.items() if name != "balance"}
    assert balance(bob.http, bobs) == (300, 0, 0, 300)


def test_a_transfer_finds_a_persons_default_wallet(alice, bob, purse, bobs):
    bob.open()
    for user in ("Bob@Example.com", str(bob.user.pk)):
        sent = alice.http.post("transfers", {"source": str(purse.id), "destination_user": user, "amount": 5})
        assert sent.body["destination"] == str(bobs.id)
    nobody = {"source": str(purse.id), "destination_user": "nobody@example.com", "amount": 5}
    assert alice.http.post("transfers", nobody).code == "not_found"
    assert balance(alice.http, purse) == (990, 0, 0, 990)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": 1_001}, 422, "insufficient_funds"),
        ({"destination": "source"}, 422, "same_wallet"),
        ({"destination": "dollars"}, 422, "currency_mismatch"),
        ({"destination": str(uuid4())}, 404, "not_found"),
        ({"source": "bobs"}, 404, "not_found"),
        ({"source": str(uuid4())}, 404, "not_found"),
        ({"destination": None}, 400, "validation_error"),
        ({"destination_user": "bob@example.com"}, 400, "validation_error"),
        ({"source": "not-an-id"}, 400, "validation_error"),
    ],
)
def test_a_transfer_that_cant_be_moves_nothing(alice, bob, purse, bobs, change, status, code):
    names = {"source": purse.id, "dollars": alice.open("USD").id, "bobs": bobs.id}
    body = order(purse, bobs) | {
        field: str(names.get(value, value)) if isinstance(value, str) else value for field, value in change.items()
    }
    refused = alice.http.post("transfers", body)
    assert (refused.status, refused.code) == (status, code)
    assert (balance(alice.http, purse), balance(bob.http, bobs)) == ((1_000, 0, 0, 1_000), (0, 0, 0, 0))


def test_a_refusal_tells_what_is_available(alice, purse, bobs):
    refused = alice.http.post("transfers", order(purse, bobs, 5_000))
    assert refused.body["available"] == 1_000
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.body["type"].endswith("/problems/insufficient_funds")


def test_a_batch_runs_in_order_and_tells_of_each_item(alice, bob, purse, bobs):
    alice.http.post(f"wallets/{purse.id}/members", {"user": "bob@example.com", "role": "spender"})
    batch = [
        order(purse, bobs, 1_000),
        order(purse, bobs, 1),
        order(bobs, purse, 400),
        order(purse, purse, 5),
        order(purse, bobs, 400),
    ]
    answer = bob.http.post("transfers/batch", {"transfers": batch})
    assert answer.status == 200
    results = answer.body["results"]
    assert [item.get("code", item["status"]) for item in results] == [
        "completed", "insufficient_funds", "completed", "same_wallet", "completed",
    ]  # fmt: skip
    assert [item["index"] for item in results] == [0, 1, 2, 3, 4]
    assert (answer.body["completed"], answer.body["failed"]) == (3, 2)
    assert Transfer.objects.filter(pk=results[2]["id"]).exists()
    assert (balance(bob.http, purse)[3], balance(bob.http, bobs)[3]) == (0, 1_000)
    assert books_are_clean()


@pytest.mark.parametrize(
    ("second", "code", "status"),
    [
        ({"amount": 1_000}, "insufficient_funds", 422),
        ({"destination": "source"}, "same_wallet", 422),
        ({"destination": str(uuid4())}, "not_found", 404),
    ],
)
def test_an_atomic_batch_is_all_or_none(alice, purse, bobs, second, code, status):
    broken = order(purse, bobs, 1) | {
        field: str(purse.id) if value == "source" else value for field, value in second.items()
    }
    answer = alice.http.post("transfers/batch", {"transfers": [order(purse, bobs, 1), broken, broken], "atomic": True})
    assert (answer.status, answer.code, answer.body["index"]) == (422, code, 1)
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("size", [30, 300])
@pytest.mark.parametrize("atomic", [False, True])
def test_of_a_large_batch_only_what_was_made_stays(alice, purse, bobs, size, atomic):
    batch = [order(purse, bobs, 1_000 if index % 10 == 5 else 1) for index in range(size)]
    answer = alice.http.post("transfers/batch", {"transfers": batch, "atomic": atomic})
    if atomic:
        assert (answer.status, answer.code, answer.body["index"]) == (422, "insufficient_funds", 5)
        made = set()
    else:
        made = {item["id"] for item in answer.body["results"] if item["status"] == "completed"}
        assert (len(made), answer.body["failed"]) == (size * 9 // 10, size // 10)
    assert {str(id) for id in Transfer.objects.values_list("id", flat=True)} == made
    assert balance(alice.http, purse)[0] == 1_000 - len(made)
    assert books_are_clean()


def test_a_large_batch_has_refusals_of_every_kind(alice, purse, bobs):
    kinds = [
        order(purse, bobs, 1),
        order(purse, bobs, 5_000),
        order(purse, bobs, 1) | {"destination": str(uuid4())},
        order(purse, purse, 1),
    ]
    answer = alice.http.post("transfers/batch", {"transfers": kinds * 10})
    codes = [item.get("code", item["status"]) for item in answer.body["results"]]
    assert codes == ["completed", "insufficient_funds", "not_found", "same_wallet"] * 10
    assert (Transfer.objects.count(), balance(alice.http, purse)[0]) == (10, 990)
    assert books_are_clean()


@pytest.fixture
def one_made_and_one_queued(alice, purse, bobs):
    """What each is, by its id."""
    alice.http.post("transfers", order(purse, bobs, 1))
    alice.http.post("transfers", order(purse, bobs, 1), Prefer="respond-async")
    there = dict(Transfer.objects.values_list("id", "status"))
    assert set(there.values()) == {"completed", "queued"}
    return there


@pytest.mark.parametrize("names", ["id", "nothing", "another"])
def test_what_was_made_or_is_still_queued_is_never_taken_back(one_made_and_one_queued, names):
    """Not even where what a row says of its transaction was changed before."""
    there = one_made_and_one_queued
    Transfer.objects.update(transaction_id={"id": F("id"), "nothing": None, "another": uuid4()}[names])
    sql.run("SELECT wallets_take_back_transfers(%s)", (sql.uuids(there),))
    assert dict(Transfer.objects.values_list("id", "status")) == there


@pytest.mark.parametrize("impostor", [False, True])
def test_what_is_queued_completes_only_with_its_transaction(one_made_and_one_queued, impostor):
    if impostor:
        sql.run("CREATE TEMP TABLE ledger_transaction ON COMMIT DROP AS SELECT id FROM wallets_transfer")
    with pytest.raises(IntegrityError, match="only with its transaction"), transaction.atomic():
        Transfer.objects.filter(status="queued").update(status="completed")
    assert dict(Transfer.objects.values_list("id", "status")) == one_made_and_one_queued


def test_an_atomic_batch_that_can_be_is(alice, purse, bobs):
    answer = alice.http.post("transfers/batch", {"transfers": [order(purse, bobs, 10)] * 3, "atomic": True})
    assert (answer.body["completed"], balance(alice.http, purse)[3]) == (3, 970)


@pytest.mark.parametrize("transfers", [[], "x", [{}], [5], None])
def test_a_batch_must_be_one(alice, transfers):
    assert alice.http.post("transfers/batch", {"transfers": transfers}).code == "validation_error"


def test_a_batch_has_at_most_ten_thousand(alice, purse, bobs):
    answer = alice.http.post("transfers/batch", {"transfers": [order(purse, bobs, 1)] * 10_001})
    assert answer.code == "validation_error"
    assert balance(alice.http, purse)[3] == 1_000


def test_ten_thousand_transfers_are_one_request(shop, alice, bob, purse, bobs):
    shop.fund(purse, 100_000)
    answer = shop.http.post("transfers/batch", {"transfers": [order(purse, bobs, 1)] * 10_000})
    assert (answer.status, answer.body["completed"]) == (200, 10_000)
    assert balance(bob.http, bobs) == (10_000, 0, 0, 10_000)
    assert books_are_clean()


def test_a_person_may_be_named_in_two_ways_in_one_batch(alice, bob, purse, bobs):
    names = ("bob@example.com", str(bob.user.pk), "BOB@example.com")
    batch = [{"source": str(purse.id), "destination_user": name, "amount": 1} for name in names]
    assert alice.http.post("transfers/batch", {"transfers": batch}).body["completed"] == 3
    assert balance(bob.http, bobs)[3] == 3


def test_an_atomic_batch_names_the_first_that_cant_be_whatever_its_reason(alice, purse, bobs):
    batch = [order(purse, bobs, 1), order(purse, bobs, 5_000), order(purse, bobs, 1) | {"destination": str(uuid4())}]
    answer = alice.http.post("transfers/batch", {"transfers": batch, "atomic": True})
    assert (answer.code, answer.body["index"]) == ("insufficient_funds", 1)
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)
    assert books_are_clean()


def test_history_tells_both_sides(alice, bob, purse, bobs):
    sent = alice.http.post("transfers", order(purse, bobs, 300, description="Dinner", reference="d-1")).body
    spent, got = alice.http.get(f"wallets/{purse.id}/transactions").body["results"]
    assert spent | {"created_at": "", "effective_at": ""} == {
        "id": sent["transaction"], "sequence": 2, "type": "transfer", "direction": "debit", "amount": 300,
        "balance_after": 700, "counterparty": str(bobs.id), "description": "Dinner", "reference": "d-1",
        "related": {"kind": "transfer", "id": sent["id"]}, "metadata": {}, "created_at": "", "effective_at": "",
    }  # fmt: skip
    assert (got["type"], got["direction"], got["counterparty"], got["balance_after"]) == (
        "deposit",
        "credit",
        None,
        1_000,
    )
    (theirs,) = bob.http.get(f"wallets/{bobs.id}/transactions").body["results"]
    assert (theirs["sequence"], theirs["direction"], theirs["balance_after"]) == (1, "credit", 300)


@pytest.fixture
def busy(alice, bob, shop, purse, bobs):
    """Alice's wallet after ten more transfers of 1 to 10."""
    for amount in range(1, 11):
        alice.http.post("transfers", order(purse, bobs, amount))
    return purse


def test_history_pages_by_cursor_both_ways_and_by_offset(alice, busy):
    path, seen, pages = f"wallets/{busy.id}/transactions?limit=4", [], []
    while path:
        pages.append(alice.http.get(path).body)
        seen += [item["sequence"] for item in pages[-1]["results"]]
        path = (pages[-1]["next"] or "").removeprefix("http://testserver")
    assert seen == list(range(11, 0, -1))
    back = alice.http.get(pages[-1]["previous"].removeprefix("http://testserver")).body
    assert back["results"] == pages[1]["results"]
    assert alice.http.get(back["previous"].removeprefix("http://testserver")).body["previous"] is None
    by_offset = alice.http.get(f"wallets/{busy.id}/transactions?limit=4&offset=4").body
    assert (by_offset["results"], by_offset["count"]) == (pages[1]["results"], 11)


@pytest.mark.parametrize(
    ("query", "sequences"),
    [
        ("type=deposit", [1]), ("type=transfer&limit=2", [11, 10]), ("direction=credit", [1]),
        ("type=fee", []), ("from=2001-01-01&to=2001-12-31", []), ("from=2001-01-01T00:00:00Z&limit=1", [11]),
        ("to=2999-01-01&offset=10", [1]), ("type=transfer&offset=8", [3, 2]), ("offset=100", []),
    ],
)  # fmt: skip
def test_history_is_filtered(alice, busy, query, sequences):
    answer = alice.http.get(f"wallets/{busy.id}/transactions?{query}")
    assert [item["sequence"] for item in answer.body["results"]] == sequences


@pytest.mark.parametrize(
    "query",
    [
        "type=loan",
        "direction=up",
        "from=yesterday",
        "to=2026-13-01",
        "offset=-1",
        "offset=1&cursor=x",
        "from=2026-01-01T00:00:00",
    ],
)
def test_history_refuses_what_it_doesnt_take(alice, busy, query):
    assert alice.http.get(f"wallets/{busy.id}/transactions?{query}").code == "validation_error"


def test_a_balance_at_a_moment_is_what_it_was(alice, shop):
    wallet, moment = alice.open(), datetime(2030, 1, 1, tzinfo=UTC)
    for day in range(3):
        with time_machine.travel(moment + timedelta(days=day), tick=False):
            shop.fund(wallet, 100)
    stood = {"2029-12-31": 0, "2030-01-01T00:00:00Z": 100, "2030-01-02T23:00:00Z": 200, "2031-01-01": 300}
    with time_machine.travel(datetime(2031, 1, 2, tzinfo=UTC), tick=False):
        http = _fresh(alice).http
        assert {at: http.get(f"wallets/{wallet.id}/balance?at={at}").body["balance"] for at in stood} == stood


def test_the_future_has_no_balance_yet(alice, purse):
    assert alice.http.get(f"wallets/{purse.id}/balance?at=2999-01-01").code == "validation_error"
