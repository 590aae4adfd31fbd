"""The same request twice, at once or a day later, with the same or other content: one effect, and the right answer."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from ledger.durable import OutcomeUnknown
from wallets import idempotency, opening, transfers
from wallets.idempotency import Answer, Claim, IdempotencyInProgress, IdempotencyKeyReused, once_each
from wallets.models import IdempotencyKey, Transfer
from wallets.tests.conftest import balance, books_are_clean


def body(source, destination, amount=100):
    return {"source": str(source.id), "destination": str(destination.id), "amount": amount}


def test_a_repeat_gets_the_first_answer(alice, purse, bobs):
    first = alice.http.post("transfers", body(purse, bobs), key="k-1")
    again = alice.http.post("transfers", body(purse, bobs), key="k-1")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Location"] == first.headers["Location"]
    assert balance(alice.http, purse)[3] == 900


def test_the_key_may_come_quoted_or_in_the_body(alice, purse, bobs):
    first = alice.http.post("transfers", body(purse, bobs), key='"k-1"')
    in_body = body(purse, bobs) | {"idempotency_key": "k-1"}
    for key in (None, "k-1"):
        assert alice.http.post("transfers", in_body, key=key).body == first.body
    assert alice.http.post("transfers", in_body, key="k-2").code == "validation_error"
    assert balance(alice.http, purse)[3] == 900


def test_the_order_of_fields_doesnt_matter(alice, purse, bobs):
    alice.http.post("transfers", body(purse, bobs), key="k-1")
    turned = dict(reversed(body(purse, bobs).items()))
    assert alice.http.post("transfers", turned, key="k-1").headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("other", [{"amount": 101}, {"description": "x"}, {"metadata": {"a": 1}}])
def test_other_content_under_the_key_is_refused(alice, purse, bobs, other):
    alice.http.post("transfers", body(purse, bobs), key="k-1")
    refused = alice.http.post("transfers", body(purse, bobs) | other, key="k-1")
    assert (refused.status, refused.code) == (422, "idempotency_key_reused")
    assert alice.http.post("transfers", body(purse, bobs), key="k-1").status == 201
    assert balance(alice.http, purse)[3] == 900


def test_the_same_key_on_another_route_is_other_content(shop, alice, purse, bobs):
    shop.http.post(f"wallets/{purse.id}/deposits", {"amount": 5}, key="k-1")
    assert shop.http.post(f"wallets/{bobs.id}/deposits", {"amount": 5}, key="k-1").code == "idempotency_key_reused"
    assert shop.http.post("transfers", body(purse, bobs), key="k-1").code == "idempotency_key_reused"


def test_in_a_group_each_key_is_judged_by_itself(db):
    known, reused, twice, fresh = (Claim("person:1", key, b"same") for key in ("known", "reused", "twice", "fresh"))
    acted = []

    def act(_, places):
        acted.append(places)
        return [Answer(201, f"{len(acted)}/{place}".encode()) for place in places]

    def together(*claims):
        return once_each(claims, lambda: None, act, now=timezone.now())

    together(known, reused)
    found = together(known, Claim("person:1", "reused", b"other"), twice, fresh, twice)
    assert acted == [[0, 1], [2, 3]]
    assert [found[0], *found[2:4]] == [Answer(201, b"1/0", replayed=True), Answer(201, b"2/2"), Answer(201, b"2/3")]
    assert [type(found[place]) for place in (1, 4)] == [IdempotencyKeyReused, IdempotencyInProgress]
    assert together(twice) == [Answer(201, b"2/2", replayed=True)]


def test_a_key_belongs_to_its_caller(alice, bob, shop, purse, bobs):
    shop.fund(bobs, 1_000)
    assert alice.http.post("transfers", body(purse, bobs), key="k-1").status == 201
    assert bob.http.post("transfers", body(bobs, purse), key="k-1").status == 201


def test_conflict_mode_tells_in_place_of_replaying(alice, purse, bobs):
    first = alice.http.post("transfers", body(purse, bobs), key="k-1", Idempotency_Mode="conflict")
    again = alice.http.post("transfers", body(purse, bobs), key="k-1", Idempotency_Mode="conflict")
    assert (first.status, again.status, again.code) == (201, 409, "duplicate_request")
    assert (again.body["original_status"], again.body["original_response"]) == (201, first.body)


def test_a_refusal_that_depended_on_state_stays_one(alice, shop, purse, bobs):
    refused = alice.http.post("transfers", body(purse, bobs, 1_500), key="k-1")
    shop.fund(purse, 1_000)
    again = alice.http.post("transfers", body(purse, bobs, 1_500), key="k-1")
    assert (again.status, again.body) == (422, refused.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/problem+json"
    assert balance(alice.http, purse)[3] == 2_000


@pytest.mark.parametrize(
    ("change", "status"), [({"amount": 0}, 400), ({"source": "00000000-0000-7000-8000-000000000000"}, 404)]
)
def test_a_mistake_doesnt_use_the_key_up(alice, purse, bobs, change, status):
    assert alice.http.post("transfers", body(purse, bobs) | change, key="k-1").status == status
    assert alice.http.post("transfers", body(purse, bobs), key="k-1").status == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 256, "a/b", '""'])
def test_a_key_must_be_one(alice, purse, bobs, key):
    answer = alice.http.post("transfers", body(purse, bobs), key=None, Idempotency_Key=key)
    assert (answer.status, answer.code) == (400, "idempotency_key_invalid")
    assert balance(alice.http, purse)[3] == 1_000


@pytest.mark.parametrize(
    "path", ["transfers", "transfers/batch", "wallets/{purse}/deposits", "wallets/{purse}/withdrawals"]
)
def test_what_moves_money_needs_a_key(alice, shop, purse, bobs, path):
    bodies = {
        "transfers": body(purse, bobs), "transfers/batch": {"transfers": [body(purse, bobs)]},
        "wallets/{purse}/deposits": {"amount": 1},
        "wallets/{purse}/withdrawals": {"amount": 1, "bank_account": str(purse.id)},
    }  # fmt: skip
    answer = shop.http.post(path.format(purse=purse.id), bodies[path], key=None)
    assert (answer.status, answer.code) == (400, "idempotency_key_missing")
    assert balance(alice.http, purse)[3] == 1_000


def test_after_its_time_the_body_is_gone_and_the_key_still_holds(alice, purse, bobs):
    alice.http.post("transfers", body(purse, bobs), key="k-1")
    assert idempotency.forget_bodies(now=timezone.now() + timedelta(days=29)) == 0
    assert idempotency.forget_bodies(now=timezone.now() + timedelta(days=31)) >= 1
    again = alice.http.post("transfers", body(purse, bobs), key="k-1")
    assert (again.status, again.code, again.body["original_status"]) == (409, "duplicate_request", 201)
    assert balance(alice.http, purse)[3] == 900


def at_once(count, work):
    barrier = Barrier(count)

    def run(number):
        try:
            barrier.wait(10)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_storm_of_one_key_has_one_effect(committed, alice, purse, bobs):
    answers = at_once(
        8, lambda number: alice.http.__class__(alice.http.token).post("transfers", body(purse, bobs), key="k-1")
    )
    assert {answer.status for answer in answers} <= {201, 409}
    assert {answer.code for answer in answers if answer.status == 409} <= {"idempotency_in_progress"}
    assert len({answer.body["id"] for answer in answers if answer.status == 201}) == 1
    assert Transfer.objects.count() == IdempotencyKey.objects.filter(key="k-1").count() == 1
    assert balance(alice.http, purse)[3] == 900
    assert books_are_clean()


def test_two_spends_of_the_same_money_are_one(committed, alice, purse, bobs):
    answers = at_once(
        8, lambda number: alice.http.__class__(alice.http.token).post("transfers", body(purse, bobs, 1_000))
    )
    assert sorted(answer.status for answer in answers) == [201] + [422] * 7
    assert balance(alice.http, purse)[3] == 0
    assert books_are_clean()


def test_a_wallet_that_is_being_closed_gets_nothing_more(committed, alice, bob, purse, bobs):
    def work(number):
        http = (bob if number == 0 else alice).http.__class__((bob if number == 0 else alice).http.token)
        if number == 0:
            return http.post(f"wallets/{bobs.id}/close")
        return http.post("transfers", body(purse, bobs, 1))

    answers = at_once(6, work)
    closed = answers[0].status == 200
    assert balance(bob.http, bobs)[0] == (0 if closed else sum(answer.status == 201 for answer in answers[1:]))
    assert {answer.status for answer in answers[1:]} <= {201, 422}
    assert books_are_clean()


def frozen_item(answer):
    assert answer.status == 200
    return answer.body["results"][0]["code"]


@pytest.mark.parametrize(
    "path, size, extra, code",
    [
        ("transfers", 1, None, lambda answer: answer.code),
        ("transfers/batch", 2, {}, frozen_item),
        ("transfers/batch", 30, {}, frozen_item),
        ("transfers/batch", 2, {"atomic": True}, lambda answer: answer.code),
        ("transfers/batch", 30, {"atomic": True}, lambda answer: answer.code),
    ],
)
@pytest.mark.parametrize("end", ["source", "destination"])
def test_a_wallet_that_changes_in_between_pays_and_gets_nothing(
    committed, alice, bob, sade, purse, bobs, monkeypatch, path, size, extra, code, end
):
    """The source is frozen, or the destination closed, after it was looked at and before its account is locked."""
    post = transfers.post
    now = timezone.now()
    late = iter([
        lambda _: opening.set_frozen(actor=sade.user, wallet_id=purse.id, frozen=True, now=now)
        if end == "source"
        else bob.http.post(f"wallets/{bobs.id}/close")
    ])  # fmt: skip

    def changed_first(*args, **kwargs):
        for change in late:
            at_once(1, change)
        return post(*args, **kwargs)

    monkeypatch.setattr(transfers, "post", changed_first)
    asked = body(purse, bobs) if extra is None else {"transfers": [body(purse, bobs, 1)] * size} | extra
    assert code(alice.http.post(path, asked)) == {"source": "wallet_frozen", "destination": "wallet_closed"}[end]
    assert balance(alice.http, purse)[0] == 1_000
    assert not Transfer.objects.exists()


def test_a_database_that_stays_away_makes_no_lost_commit_a_refusal(monkeypatch):
    def away(*_):
        raise OperationalError("away")

    monkeypatch.setattr(idempotency, "find", away)
    claim = Claim("person:1", "k-1", b"")
    with pytest.raises(OutcomeUnknown):
        idempotency._settled(_interrupted, [claim], lambda: None, lambda *_: [], timezone.now())


def _interrupted(*_):
    raise OutcomeUnknown("The commit was interrupted.")


@pytest.mark.parametrize("path", ["transfers", "transfers/batch"])
def test_who_loses_the_race_for_a_key_gets_the_winners_answer(committed, alice, purse, bobs, monkeypatch, path):
    """The winner's key is committed after the loser has looked for it."""
    store, winners = idempotency._store, iter([Answer(201, b'{"id": "the winner"}')])
    monkeypatch.setattr(Claim, "lock", property(lambda _: random.getrandbits(60)))

    def late(answers, now):
        for answer in winners:
            at_once(1, lambda _, answer=answer: idempotency.once(answers[0][0], lambda: answer, now=now))
        store(answers, now)

    monkeypatch.setattr(idempotency, "_store", late)
    told = alice.http.post(path, body(purse, bobs) if path == "transfers" else {"transfers": [body(purse, bobs)]})
    assert (told.body, told.headers["Idempotent-Replayed"]) == ({"id": "the winner"}, "true")
    assert balance(alice.http, purse)[0] == 1_000
    assert not Transfer.objects.exists()
    assert books_are_clean()
