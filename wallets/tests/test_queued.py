"""Transfers that wait for their turn: accepted once, made once or refused once; whoever dies, races or stumbles."""

import os
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pkgutil import resolve_name
from threading import Thread
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from ledger import sql
from users.models import AuditEvent, User
from users.tests.round_trips import round_trips
from wallets import bell, opening, tasks
from wallets.api.prefer import preferences
from wallets.models import DrainBatch, IdempotencyKey, Transfer, Wallet
from wallets.opening import InvalidState
from wallets.queued import batches, drain, rescue, trouble
from wallets.queued.accept import accept_each
from wallets.queued.drain import drain_batch
from wallets.queued.outcomes import Drained
from wallets.tests.conftest import balance, books_are_clean, service
from wallets.tests.simulator.conftest import until
from wallets.tests.test_once import at_once
from wallets.transfers import Order, find_routes

ASYNC = {"Prefer": "respond-async"}
Status = Transfer.Status


def body(source, destination, amount=100, **more):
    return {"source": str(source.id), "destination": str(destination.id), "amount": amount} | more


def ask(person, source, destination, amount=100, key="", prefer="respond-async", **more):
    return person.http.post("transfers", body(source, destination, amount, **more), key=key, Prefer=prefer)


def work(**changes):
    """Drain until nothing is due."""
    return drain.drain(clock=lambda: datetime.now(UTC) + timedelta(**changes), seconds=60)


def seen(person, answer):
    """A transfer as its client sees it."""
    return person.http.get(f"transfers/{answer.body['id']}").body


def queue(person, source, destination, amounts):
    """Accept many, in their order, without HTTP; returns their ids."""
    now = datetime.now(UTC)
    orders = [
        Order(caller=person.caller, source=source.id, destination=destination.id, amount=amount) for amount in amounts
    ]
    with transaction.atomic():
        accept_each(find_routes(orders), now=now)
    return [order.id for order in orders]


def statuses():
    return list(Transfer.objects.order_by("id").values_list("status", flat=True))


# --- Asking ---------------------------------------------------------------------------------------------------------


def test_a_queued_transfer_is_accepted_before_any_money_moves(alice, purse, bobs):
    asked = ask(alice, purse, bobs, description="rent", reference="r-1", metadata={"a": 1})
    assert (asked.status, asked.body["status"], asked.body["transaction"]) == (202, "queued", None)
    assert asked.headers["Preference-Applied"] == "respond-async"
    assert asked.headers["Location"] == f"/api/v1/transfers/{asked.body['id']}"
    assert seen(alice, asked) == asked.body
    assert "balance" not in asked.body and "failure" not in asked.body
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)


def test_it_is_made_by_a_worker_and_looks_like_every_transfer(alice, bob, purse, bobs):
    asked = ask(alice, purse, bobs, description="rent", reference="r-1", metadata={"a": 1})
    assert work() == Drained(completed=1)
    found = seen(alice, asked)
    assert found == asked.body | {"status": "completed", "transaction": asked.body["id"]}
    assert (balance(alice.http, purse)[3], balance(bob.http, bobs)[3]) == (900, 100)
    newest = bob.http.get(f"wallets/{bobs.id}/transactions").body["results"][0]
    assert (newest["type"], newest["amount"], newest["reference"]) == ("transfer", 100, "r-1")
    assert newest["related"] == {"kind": "transfer", "id": asked.body["id"]}
    assert (newest["description"], newest["metadata"], newest["counterparty"]) == ("rent", {"a": 1}, str(purse.id))
    assert work() == Drained()
    assert books_are_clean()


def test_it_goes_to_a_persons_default_wallet(alice, bob, purse, bobs):
    order = {"source": str(purse.id), "destination_user": "Bob@example.com", "amount": 5}
    asked = alice.http.post("transfers", order, **ASYNC)
    assert (asked.status, asked.body["destination"]) == (202, str(bobs.id))
    work()
    assert balance(bob.http, bobs)[3] == 5


def test_money_is_judged_when_its_turn_comes(alice, shop, purse, bobs):
    poor, rich = ask(alice, purse, bobs, 1_001), ask(alice, purse, bobs, 1_000)
    shop.fund(purse, 1)
    assert work() == Drained(completed=1, failed=1)
    assert (seen(alice, poor)["status"], seen(alice, rich)["status"]) == ("completed", "failed")


def test_a_refusal_is_told_as_a_problem(alice, purse, bobs):
    asked = ask(alice, purse, bobs, 1_001)
    assert work() == Drained(failed=1)
    found = seen(alice, asked)
    assert (found["status"], found["transaction"]) == ("failed", None)
    assert found["failure"] == {
        "type": django_settings.PROBLEM_BASE + "insufficient_funds", "title": "Insufficient funds",
        "code": "insufficient_funds", "detail": "1000 is available; 1001 was asked for.", "available": 1_000,
    }  # fmt: skip
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": 0}, 400, "validation_error"), ({"amount": "5"}, 400, "validation_error"),
        ({"fee": 1}, 400, "validation_error"), ({"destination": None}, 400, "validation_error"),
        ({"source": "theirs"}, 404, "not_found"), ({"destination": "nowhere"}, 404, "not_found"),
        ({"destination": "purse"}, 422, "same_wallet"), ({"destination": "dollars"}, 422, "currency_mismatch"),
        ({"destination": "shut"}, 422, "wallet_closed"), ({"source": "cold"}, 422, "wallet_frozen"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("prefer", ["respond-async", ""])
def test_what_can_be_refused_at_once_is_refused_as_without_waiting(
    alice, bob, purse, bobs, change, status, code, prefer
):
    wallets = {"purse": purse, "theirs": bobs, "dollars": alice.open("USD"), "shut": alice.open(), "cold": alice.open()}
    Wallet.objects.filter(pk=wallets["shut"].pk).update(status="closed")
    Wallet.objects.filter(pk=wallets["cold"].pk).update(status="frozen")
    names = {name: str(wallet.pk) for name, wallet in wallets.items()} | {"nowhere": str(uuid4())}
    order = body(purse, bobs) | {field: names.get(value, value) for field, value in change.items()}
    refused = alice.http.post("transfers", order, key="k-1", Prefer=prefer)
    assert (refused.status, refused.code) == (status, code)
    assert not Transfer.objects.exists()
    assert IdempotencyKey.objects.filter(key="k-1").exists() == (status == 422)


def test_it_needs_the_scope_and_the_role(alice, bob, purse, bobs):
    reader = service("reader", ("wallets:read",))
    assert reader.http.post("transfers", body(purse, bobs), **ASYNC).code == "permission_denied"
    assert ask(bob, purse, bobs).code == "not_found"
    alice.http.post(f"wallets/{purse.id}/members", {"user": "bob@example.com", "role": "viewer"})
    assert ask(bob, purse, bobs).code == "permission_denied"
    assert not Transfer.objects.exists()


def test_strangers_dont_see_it(alice, bob, charlie, purse, bobs):
    asked = ask(alice, purse, bobs)
    assert charlie.http.get(f"transfers/{asked.body['id']}").status == 404
    assert seen(bob, asked)["status"] == "queued"


# --- The preference -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "respond-async", "Respond-Async", "respond-async, wait=10", "wait=10, respond-async", "respond-async;a=b",
        'foo; bar="a, b; c", respond-async', "respond-async=", 'respond-async=""', ", respond-async ,",
        'handling=lenient; x="\\"", respond-async; wait = 100', "???, respond-async", "respond-async ;",
    ],
)  # fmt: skip
def test_who_prefers_not_to_wait_does_not(alice, purse, bobs, header):
    assert ask(alice, purse, bobs, prefer=header).status == 202


@pytest.mark.parametrize(
    "header",
    ["", "wait=10", "return=minimal", "respond-async-not", 'x="respond-async"', 'x="a, respond-async', "respond async",
     "a;respond-async", "respond-async=no", "respond-async=no, respond-async"],
)  # fmt: skip
def test_who_does_not_say_so_waits(alice, purse, bobs, header):
    answer = ask(alice, purse, bobs, prefer=header)
    assert (answer.status, answer.body["status"]) == (201, "completed")
    assert "Preference-Applied" not in answer.headers


def test_preferences_are_read_as_rfc_7240_writes_them():
    header = 'foo; some="x, y", Bar="q\\"q" ,handling=lenient, wait=100, handling=strict'
    assert preferences(header) == {"foo": "", "bar": 'q"q', "handling": "lenient", "wait": "100"}


@given(st.text(max_size=60), st.lists(st.sampled_from(["respond-async", ",", ";", "=", '"', "\\", " ", "wait=1"])))
def test_no_header_is_too_odd_to_be_read(text, parts):
    assert isinstance(preferences(text), dict)
    assert isinstance(preferences("".join(parts)), dict)


def test_a_long_header_costs_little():
    started = datetime.now(UTC)
    for header in (
        "a=" * 4_000,
        "a;" * 4_000,
        '"' * 8_000,
        "a" * 8_000 + "(",
        " " * 8_000 + "(",
        "a " * 4_000,
        ";a " * 2_000,
    ):
        preferences(header)
    assert datetime.now(UTC) - started < timedelta(seconds=2)


# --- Once -----------------------------------------------------------------------------------------------------------


def test_a_repeat_gets_the_first_answer_also_when_it_is_made(alice, purse, bobs):
    first, again = ask(alice, purse, bobs, key="k-1"), ask(alice, purse, bobs, key="k-1")
    work()
    later = ask(alice, purse, bobs, key="k-1")
    for repeat in (again, later):
        assert (repeat.status, repeat.body) == (202, first.body)
        assert repeat.headers["Idempotent-Replayed"] == "true"
        assert repeat.headers["Preference-Applied"] == "respond-async"
        assert repeat.headers["Location"] == first.headers["Location"]
    assert work() == Drained()
    assert balance(alice.http, purse)[3] == 900


def test_whether_it_was_asked_for_later_is_not_part_of_what_was_asked(alice, purse, bobs):
    queued, plain = ask(alice, purse, bobs, key="k-1"), ask(alice, purse, bobs, key="k-2", prefer="")
    plain_again = ask(alice, purse, bobs, key="k-1", prefer="")
    queued_again = ask(alice, purse, bobs, key="k-2")
    assert (plain_again.status, plain_again.body) == (202, queued.body)
    assert (queued_again.status, queued_again.body) == (201, plain.body)
    assert "Preference-Applied" not in queued_again.headers
    work()
    assert balance(alice.http, purse)[3] == 800


def test_other_content_and_the_conflict_mode_are_as_for_every_post(alice, purse, bobs):
    ask(alice, purse, bobs, key="k-1")
    assert ask(alice, purse, bobs, 101, key="k-1").code == "idempotency_key_reused"
    conflict = alice.http.post("transfers", body(purse, bobs), key="k-1", Idempotency_Mode="conflict", **ASYNC)
    assert (conflict.code, conflict.body["original_status"]) == ("duplicate_request", 202)


def test_the_same_key_at_once_queues_once(committed, alice, purse, bobs):
    answers = at_once(8, lambda number: ask(alice, purse, bobs, key="k-1"))
    assert {answer.status for answer in answers} <= {202, 409}
    assert len({answer.body["id"] for answer in answers if answer.status == 202}) == 1
    assert Transfer.objects.count() == 1


def test_row_key_and_trail_are_committed_together(alice, purse, bobs):
    asked = alice.http.post("transfers", body(purse, bobs), key="k-1", X_Request_ID="r-1", **ASYNC)
    event = AuditEvent.objects.get(action="transfer.queued")
    assert (event.object_id, event.actor_id, event.request_id) == (asked.body["id"], str(alice.user.pk), "r-1")
    assert event.data == {"source": str(purse.id), "amount": 100}
    assert IdempotencyKey.objects.get(key="k-1").status == 202
    work()
    made = AuditEvent.objects.get(action="transfer.made")
    assert (made.object_id, made.actor_kind, made.actor_id) == (asked.body["id"], "system", "transfers")


@pytest.mark.parametrize("step", ["wallets.queued.accept.audit.record_many", "wallets.idempotency._store"])
def test_what_dies_before_its_commit_has_accepted_nothing(committed, alice, purse, bobs, monkeypatch, step):
    monkeypatch.setattr(step, _die)
    assert ask(alice, purse, bobs, key="k-1").status == 500
    monkeypatch.undo()
    assert not Transfer.objects.exists()
    assert not IdempotencyKey.objects.filter(key="k-1").exists()
    assert ask(alice, purse, bobs, key="k-1").status == 202


def test_accepting_takes_fewer_round_trips_than_making(committed, alice, purse, bobs):
    for _ in range(8):
        ask(alice, purse, bobs, 1)
    with round_trips() as counted:
        assert ask(alice, purse, bobs, 1).status == 202
    # BEGIN, the key, the wallets; the row, the trail and the key's answer in one; COMMIT.
    assert counted[0] <= 5


# --- A full queue ---------------------------------------------------------------------------------------------------


def test_a_full_queue_takes_no_more_and_stores_nothing(alice, purse, bobs, settings):
    settings.TRANSFER_QUEUE_LIMIT = 2
    first = ask(alice, purse, bobs, 10, key="k-1")
    assert (first.status, ask(alice, purse, bobs, 10).status) == (202, 202)
    refused = ask(alice, purse, bobs, 10, key="k-3")
    assert (refused.status, refused.code) == (503, "queue_full")
    assert int(refused.headers["Retry-After"]) > 0
    assert (Transfer.objects.count(), IdempotencyKey.objects.filter(key="k-3").exists()) == (2, False)
    assert ask(alice, purse, bobs, 10, key="k-1").body == first.body
    assert ask(alice, purse, bobs, 10, prefer="").status == 201
    work()
    assert ask(alice, purse, bobs, 10, key="k-3").status == 202


def test_of_those_who_come_together_as_many_are_taken_as_have_room(alice, purse, bobs, settings):
    settings.TRANSFER_QUEUE_LIMIT = 2
    orders = [Order(caller=alice.caller, source=purse.id, destination=bobs.id, amount=5) for _ in range(4)]
    outcomes = accept_each(find_routes(orders), now=datetime.now(UTC))
    assert [getattr(outcome, "code", "queued") for outcome in outcomes] == ["queued"] * 2 + ["queue_full"] * 2


def test_a_batch_is_read_off_its_index_however_long_the_queue(alice, purse, bobs):
    queue(alice, purse, bobs, [1] * 400)
    with connection.cursor() as cursor:
        cursor.execute(batches.PREPARE)
        cursor.execute("EXPLAIN (ANALYZE) " + batches.DUE, {"now": datetime.now(UTC), "limit": 5})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using wallets_transfer_due" in plan
    assert "Sort" not in plan
    assert "rows=400" not in plan


# --- Its turn -------------------------------------------------------------------------------------------------------


def test_transfers_are_made_in_the_order_in_which_they_were_accepted(alice, purse, bobs):
    ids = [UUID(ask(alice, purse, bobs, amount).body["id"]) for amount in (600, 500, 400, 1)]
    assert work() == Drained(completed=2, failed=2)
    assert [Transfer.objects.get(pk=id).status for id in ids] == ["completed", "failed", "completed", "failed"]


def test_money_that_comes_in_is_spent_by_those_behind(alice, bob, purse, bobs):
    queue(alice, purse, bobs, [1_000])
    queue(bob, bobs, purse, [1_000])
    queue(alice, purse, bobs, [1_000])
    assert work() == Drained(completed=3)


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [("source", "frozen", "wallet_frozen"), ("source", "closed", "wallet_closed"),
     ("destination", "closed", "wallet_closed")],
)  # fmt: skip
def test_a_wallet_that_was_frozen_or_closed_since_refuses(alice, purse, bobs, end, status, code):
    asked = ask(alice, purse, bobs)
    Wallet.objects.filter(pk={"source": purse, "destination": bobs}[end].pk).update(status=status)
    assert work() == Drained(failed=1)
    assert seen(alice, asked)["failure"]["code"] == code
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)


def test_a_frozen_wallet_still_receives(alice, purse, bobs):
    asked = ask(alice, purse, bobs)
    Wallet.objects.filter(pk=bobs.pk).update(status="frozen")
    work()
    assert seen(alice, asked)["status"] == "completed"


def test_an_empty_wallet_may_be_closed_though_something_waits(alice, purse, bobs):
    empty = alice.open()
    asked = ask(alice, empty, bobs)
    assert alice.http.post(f"wallets/{empty.id}/close").status < 300
    work()
    assert seen(alice, asked)["failure"]["code"] == "wallet_closed"


def test_a_wallet_that_is_frozen_while_it_is_made_is_seen(committed, alice, purse, bobs, monkeypatch):
    ids = queue(alice, purse, bobs, [5, 6])
    real, calls = drain.post, []

    def post(*args, **more):
        if not calls:
            calls.append(at_once(1, lambda _: _freeze(alice, purse)))
        return real(*args, **more)

    monkeypatch.setattr(drain, "post", post)
    assert drain_batch(now=datetime.now(UTC)) == Drained(failed=2)
    assert Transfer.objects.get(pk=ids[0]).failure["code"] == "wallet_frozen"
    assert balance(alice.http, purse)[3] == 1_000


def _freeze(actor, wallet):
    opening.set_frozen(actor=actor.user, wallet_id=wallet.id, frozen=True, now=datetime.now(UTC))


def test_what_isnt_due_waits(alice, purse, bobs):
    (id,) = queue(alice, purse, bobs, [5])
    Transfer.objects.filter(pk=id).update(next_at=datetime.now(UTC) + timedelta(seconds=30))
    assert (work(), work(seconds=31)) == (Drained(), Drained(completed=1))


def test_a_batch_takes_as_many_round_trips_whatever_its_size(committed, alice, purse, bobs):
    counts = []
    for size in (5, 5, 5, 5, 5, 5, 200, 500):
        queue(alice, purse, bobs, [1] * size)
        with round_trips() as counted:
            assert drain_batch(now=datetime.now(UTC)) == Drained(completed=size)
        counts += counted
    # Writing down who they are, in three; BEGIN, the claim, the wallets, their balances; postings, ends and trail in
    # one; COMMIT; and that it is done.
    assert counts[-2] <= counts[-3] <= 11
    # What is written part by part is answered part by part; nobody waits for it before the end.
    assert counts[-1] <= counts[-2] + 3


def test_a_drain_goes_on_until_nothing_is_due_or_its_time_is_over(alice, purse, bobs, monkeypatch):
    queue(alice, purse, bobs, [1] * 7)
    rung = []
    monkeypatch.setattr(drain, "ring", lambda: rung.append(1))
    monkeypatch.setattr(drain.drain_batch, "__kwdefaults__", {"limit": 2})
    assert drain.drain(clock=lambda: datetime.now(UTC), seconds=0) == Drained(completed=2)
    assert rung == [1]
    assert drain.drain(clock=lambda: datetime.now(UTC), seconds=60) == Drained(completed=5)
    assert rung == [1]


def test_the_task_drains(alice, purse, bobs):
    asked = ask(alice, purse, bobs)
    tasks.drain_transfers()
    assert seen(alice, asked)["status"] == "completed"


# --- The bell -------------------------------------------------------------------------------------------------------


def test_one_ring_serves_many(settings, monkeypatch):
    settings.CELERY_ENABLED, now, rung = True, [100.0], []
    monkeypatch.setattr(bell, "monotonic", lambda: now[0])
    monkeypatch.setattr(bell, "_will_ring_at", {})
    monkeypatch.setattr(bell, "ring", lambda task, **more: rung.append((now[0], task, more)))
    timers = []
    monkeypatch.setattr(bell, "Timer", lambda *started: timers.append(started) or Thread(target=int))
    for moment in (100.0, 100.01, 100.049, 100.05, 100.06):
        now[0] = moment
        bell.ring_soon("a.task", expires=1.0)
    assert [seconds for seconds, *_ in timers] == [0.05, 0.05], "who comes as it rings is rung for anew"
    _, act, arguments, more = timers[0]
    act(*arguments, **more)
    assert rung == [(100.06, "a.task", {"expires": 1.0})]


def test_it_is_rung_for_after_the_commit(committed, alice, purse, bobs, monkeypatch):
    rung = []
    monkeypatch.setattr("wallets.queued.accept.ring", lambda: rung.append(connection.in_atomic_block))
    ask(alice, purse, bobs)
    assert rung == [False]


def test_a_message_for_a_worker_expires(settings, monkeypatch):
    settings.CELERY_ENABLED, sent = True, []
    monkeypatch.setattr(bell.current_app, "send_task", lambda task, **more: sent.append((task, more)))
    monkeypatch.setattr(bell, "_quiet_until", 0.0)
    bell.ring("a.task", "x", expires=1.0)
    ((task, more),) = sent
    assert (task, more["args"], more["expires"]) == ("a.task", ("x",), 1.0)


def test_what_is_undone_rings_for_nobody(committed, alice, purse, bobs, monkeypatch):
    soon = []
    monkeypatch.setattr("wallets.queued.accept.ring", lambda: soon.append(1))
    monkeypatch.setattr("wallets.idempotency._store", _die)
    ask(alice, purse, bobs)
    assert soon == []


def _die(*_args, **_kwargs):
    raise SystemError("died here")


# --- Trouble --------------------------------------------------------------------------------------------------------


def poison(monkeypatch, *ids):
    """Make some transfers fail as a defect of ours would: in the middle of their batch."""
    real = drain._post

    def post(waiting, now):
        if bad := [each.id for each in waiting if each.id in ids]:
            raise ValueError(f"can't make {bad[0]}")
        return real(waiting, now)

    monkeypatch.setattr(drain, "_post", post)


@pytest.mark.parametrize("place", [0, 3, 10])
def test_a_poisoned_row_is_set_aside_and_stops_no_other(alice, purse, bobs, monkeypatch, place):
    ids = queue(alice, purse, bobs, range(1, 12))
    poison(monkeypatch, ids[place])
    assert work() == Drained(completed=10, set_aside=1)
    found = Transfer.objects.get(pk=ids[place])
    assert (found.status, found.next_at, found.trouble) == ("set_aside", None, f"ValueError: can't make {ids[place]}")
    assert AuditEvent.objects.get(action="transfer.set_aside").object_id == str(ids[place])
    assert balance(alice.http, purse)[3] == 1_000 - 66 + place + 1
    assert work() == Drained()
    assert books_are_clean()


def test_the_order_is_kept_around_a_poisoned_row(alice, purse, bobs, monkeypatch):
    ids = queue(alice, purse, bobs, [600, 5, 500, 400, 1])
    poison(monkeypatch, ids[1])
    work()
    assert [Transfer.objects.get(pk=id).status for id in ids] == [
        "completed", "set_aside", "failed", "completed", "failed",
    ]  # fmt: skip


def test_one_that_was_set_aside_is_queued_for_its_client_until_a_person_decides(alice, sade, purse, bobs, monkeypatch):
    first, second = ask(alice, purse, bobs, 5), ask(alice, purse, bobs, 6)
    poison(monkeypatch, UUID(first.body["id"]), UUID(second.body["id"]))
    work()
    monkeypatch.undo()
    assert (seen(alice, first)["status"], "failure" in seen(alice, first)) == ("queued", False)
    now = datetime.now(UTC)
    rescue.try_again(UUID(first.body["id"]), actor=sade.user, reason="repaired", now=now)
    rescue.give_up(UUID(second.body["id"]), actor=sade.user, reason="too late", now=now)
    work()
    assert (seen(alice, first)["status"], seen(alice, second)["status"]) == ("completed", "failed")
    assert seen(alice, second)["failure"]["code"] == "internal_error"
    assert seen(alice, second)["failure"]["type"].endswith("/internal_error")
    notes = AuditEvent.objects.filter(actor_kind="staff", object_kind="transfer").values_list(
        "action", "data", "actor_id"
    )
    assert sorted(notes) == [
        ("transfer.given_up", {"reason": "too late"}, str(sade.user.pk)),
        ("transfer.tried_again", {"reason": "repaired"}, str(sade.user.pk)),
    ]
    assert balance(alice.http, purse)[3] == 995


@pytest.mark.parametrize("deed", [rescue.try_again, rescue.give_up])
def test_only_what_is_set_aside_can_be_rescued(alice, sade, purse, bobs, deed):
    asked = ask(alice, purse, bobs, 5)
    for _ in range(2):
        with pytest.raises(InvalidState):
            deed(UUID(asked.body["id"]), actor=sade.user, reason="x", now=datetime.now(UTC))
        work()
    assert seen(alice, asked)["status"] == "completed"


def test_of_many_rescuers_one_succeeds(committed, alice, sade, purse, bobs, monkeypatch):
    (id,) = queue(alice, purse, bobs, [5])
    poison(monkeypatch, id)
    work()
    monkeypatch.undo()

    def decide(number):
        deed = (rescue.try_again, rescue.give_up)[number % 2]
        try:
            deed(id, actor=sade.user, reason="x", now=datetime.now(UTC))
        except InvalidState:
            return False
        return True

    assert sum(at_once(6, decide)) == 1


def passing(sqlstate):
    """An error as the database's driver raises it."""
    cause = Exception("canceled")
    cause.sqlstate = sqlstate
    error = OperationalError("canceled")
    error.__cause__ = cause
    return error


def test_what_passes_is_put_off_ever_longer_and_then_set_aside(alice, purse, bobs, monkeypatch):
    (id,) = queue(alice, purse, bobs, [5])
    real = drain._post

    def busy(waiting, now):
        raise passing("55P03")

    monkeypatch.setattr(drain, "_post", busy)
    now, pauses = datetime.now(UTC), []
    for number in range(1, trouble.TRIES):
        assert drain_batch(now=now) == Drained(put_off=1)
        assert drain_batch(now=now) == Drained()
        found = Transfer.objects.get(pk=id)
        assert (found.status, found.tries, found.trouble) == ("queued", number, "OperationalError: canceled")
        pauses.append((found.next_at - now).total_seconds())
        now = found.next_at
    assert 0.8 <= pauses[0] <= 1.2 and max(pauses) <= 360 and sum(pauses) > 1_800
    assert drain_batch(now=now) == Drained(set_aside=1)
    monkeypatch.setattr(drain, "_post", real)


def test_what_was_put_off_is_made_when_the_trouble_is_over(alice, purse, bobs, monkeypatch):
    (id,) = queue(alice, purse, bobs, [5])
    with monkeypatch.context() as patched:
        patched.setattr(drain, "_post", lambda *_: (_ for _ in ()).throw(passing("40001")))
        patched.setattr("ledger.durable.ATTEMPTS", 1)
        assert work() == Drained(put_off=1)
    assert work(seconds=2) == Drained(completed=1)
    found = Transfer.objects.get(pk=id)
    assert (found.tries, found.trouble, found.next_at) == (1, "", None)


def test_where_the_database_is_away_all_stay_due(alice, purse, bobs, monkeypatch):
    queue(alice, purse, bobs, [5, 6])
    monkeypatch.setattr(drain, "_post", lambda *_: (_ for _ in ()).throw(passing("57P01")))
    with pytest.raises(OperationalError):
        work()
    monkeypatch.undo()
    assert list(Transfer.objects.values_list("tries", flat=True)) == [0, 0]
    assert work() == Drained(completed=2)


def test_one_whose_wallet_is_locked_lets_the_others_pass(committed, alice, bob, shop, purse, bobs, monkeypatch):
    monkeypatch.setattr(drain, "LOCK_TIMEOUT", "50ms")
    locked, other = alice.open(), alice.open()
    shop.fund(locked, 100)
    stuck = queue(alice, locked, bobs, [7])
    free = queue(alice, purse, other, [1, 2, 3, 4])

    def hold_and_drain(number):
        if number == 0:
            with transaction.atomic():
                sql.rows("SELECT FROM ledger_balance WHERE account_id = %s FOR UPDATE", (locked.account_id,))
                ready.append(1)
                while not done:
                    pass
            return None
        while not ready:
            pass
        done.append(drain_batch(now=datetime.now(UTC)))
        return done[0]

    ready, done = [], []
    assert at_once(2, hold_and_drain)[1] == Drained(completed=4, put_off=1)
    assert set(Transfer.objects.filter(pk__in=free).values_list("status", flat=True)) == {"completed"}
    assert Transfer.objects.get(pk=stuck[0]).status == "queued"
    assert work(seconds=5) == Drained(completed=1)


# --- The back office ------------------------------------------------------------------------------------------------


def clerk(*permissions):
    """A browser in which somebody of the staff has logged in, who may do this and no more."""
    user = User.objects.create_user("clerk@example.com", "a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def page(id, deed="change"):
    return reverse(f"admin:wallets_transfer_{deed}", args=[id])


@pytest.fixture
def aside(alice, purse, bobs, monkeypatch):
    """A transfer that was set aside."""
    (id,) = queue(alice, purse, bobs, [5])
    with monkeypatch.context() as patched:
        poison(patched, id)
        work()
    return id


def test_staff_find_what_was_set_aside_and_why(aside, alice, purse, bobs):
    (waits,), browser = queue(alice, purse, bobs, [5]), clerk("view_transfer")
    lists = {status: browser.get(f"/admin/wallets/transfer/?status={status}").content.decode()
             for status in ("set_aside", "queued", "nonsense")}  # fmt: skip
    found = {status: [page(id) in shown for id in (aside, waits)] for status, shown in lists.items()}
    assert found == {"set_aside": [True, False], "queued": [False, True], "nonsense": [True, True]}
    assert f"can&#x27;t make {aside}" in browser.get(page(aside)).content.decode()


@pytest.mark.parametrize(("deed", "then"), [("try_again", "completed"), ("give_up", "failed")])
def test_staff_say_what_becomes_of_it(aside, alice, deed, then):
    browser = clerk("view_transfer", "rescue_transfer")
    assert page(aside, deed) in browser.get(page(aside)).content.decode()
    assert browser.get(page(aside, deed)).status_code == 200
    browser.post(page(aside, deed), {"_form_submitted": "on", "reason": ""})
    assert Transfer.objects.get().status == "set_aside"
    assert browser.post(page(aside, deed), {"_form_submitted": "on", "reason": "looked at"})["HX-Redirect"] == page(
        aside
    )
    assert page(aside, deed) not in browser.get(page(aside)).content.decode()
    work()
    assert Transfer.objects.get().status == then
    note = AuditEvent.objects.get(object_id=str(aside), actor_kind="staff")
    assert (note.data, note.actor_id) == ({"reason": "looked at"}, str(User.objects.get(email="clerk@example.com").pk))
    browser.post(page(aside, deed), {"_form_submitted": "on", "reason": "again"})
    assert AuditEvent.objects.filter(object_id=str(aside), actor_kind="staff").count() == 1


def test_who_may_only_look_rescues_nothing(aside):
    browser = clerk("view_transfer")
    for deed in ("try_again", "give_up"):
        assert page(aside, deed) not in browser.get(page(aside)).content.decode()
        assert browser.post(page(aside, deed), {"_form_submitted": "on", "reason": "x"}).status_code == 403
    assert Transfer.objects.get().status == "set_aside"


# --- Death and races ------------------------------------------------------------------------------------------------

STEPS = [
    "wallets.queued.drain.reach", "wallets.queued.drain.post", "wallets.queued.drain._end",
    "wallets.queued.drain.audit.record_many",
]  # fmt: skip


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_a_worker_that_dies_at_a_step_loses_and_repeats_nothing(
    committed, alice, purse, bobs, monkeypatch, step, after
):
    ids = queue(alice, purse, bobs, [1, 2, 5_000])
    real = resolve_name(step)

    def dies(*args, **more):
        if after:
            real(*args, **more)
        raise Killed

    monkeypatch.setattr(step, dies)
    with pytest.raises(Killed):
        drain_batch(now=datetime.now(UTC))
    monkeypatch.undo()
    connections.close_all()
    assert statuses() == ["queued"] * 3
    assert balance(alice.http, purse)[3] == 1_000
    assert work() == Drained(completed=2, failed=1)
    assert [Transfer.objects.get(pk=id).status for id in ids] == ["completed", "completed", "failed"]
    assert balance(alice.http, purse)[3] == 997
    assert books_are_clean()


def in_a_process(work):
    """Let a process of its own do it; returns the signal that it died of, or 0."""
    connections.close_all()
    child = os.fork()
    if not child:
        with suppress(BaseException):
            work()
        connections.close_all()
        os._exit(0)
    end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    # The server notices a moment later that nobody is there.
    until(lambda: not sql.rows("SELECT FROM wallets_drainbatch JOIN pg_stat_activity ON pid = backend"))
    return end


@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_that_kills_its_worker_is_set_aside_after_a_few(committed, alice, purse, bobs, monkeypatch, place):
    ids = queue(alice, purse, bobs, [1, 2, 3, 4, 5])
    real = drain._post

    def deadly(waiting, now):
        if any(each.id == ids[place] for each in waiting):
            os.kill(os.getpid(), signal.SIGKILL)
        return real(waiting, now)

    monkeypatch.setattr(drain, "_post", deadly)
    ends = [in_a_process(lambda later=later: work(minutes=later)) for later in range(6)]
    assert (ends.count(-signal.SIGKILL), ends[-1]) == (batches.DEATHS, 0)
    assert [Transfer.objects.get(pk=id).status for id in ids] == [
        "set_aside" if number == place else "completed" for number in range(5)
    ]
    aside = Transfer.objects.get(pk=ids[place])
    assert (aside.deaths, aside.trouble) == (batches.DEATHS, batches.KILLS.format(batches.DEATHS))
    assert balance(alice.http, purse)[3] == 1_000 - 15 + place + 1
    assert not DrainBatch.objects.exists()
    assert books_are_clean()


def test_those_beside_it_are_made_in_their_order_one_by_one(committed, alice, purse, bobs, monkeypatch):
    ids = queue(alice, purse, bobs, [600, 500, 400, 1])
    Transfer.objects.filter(pk__in=ids[1:3]).update(deaths=1)
    made, real = [], drain._post
    monkeypatch.setattr(drain, "_post", lambda waiting, now: made.append(len(waiting)) or real(waiting, now))
    assert work() == Drained(completed=2, failed=2)
    assert made == [1, 1, 1, 1]
    assert [Transfer.objects.get(pk=id).status for id in ids] == ["completed", "failed", "completed", "failed"]


def test_a_server_that_ends_blames_nobody(alice, purse, bobs):
    ids = queue(alice, purse, bobs, [1, 2])
    before = datetime(2020, 1, 1, tzinfo=UTC)
    DrainBatch.objects.create(transfers=ids, begun_at=before, backend=1, backend_since=before)
    batches.bury(datetime.now(UTC))
    assert set(Transfer.objects.values_list("deaths", flat=True)) == {0}
    assert not DrainBatch.objects.exists()


def test_a_worker_that_lives_is_left_alone(committed, alice, purse, bobs):
    queue(alice, purse, bobs, [1, 2])
    with batches.batch(now=datetime.now(UTC), limit=5):
        at_once(1, lambda _: batches.bury(datetime.now(UTC)))
        assert DrainBatch.objects.count() == 1
    assert set(Transfer.objects.values_list("deaths", flat=True)) == {0}
    assert not DrainBatch.objects.exists()


def test_a_connection_that_is_cut_in_the_middle_loses_and_repeats_nothing(committed, alice, purse, bobs, monkeypatch):
    queue(alice, purse, bobs, [1, 2, 3])
    real = drain._end

    def cut(waiting, refusals, now):
        ended = real(waiting, refusals, now)
        me = connection.connection.info.backend_pid
        at_once(1, lambda _: sql.rows("SELECT pg_terminate_backend(%s)", (me,)))
        return ended

    monkeypatch.setattr(drain, "_end", cut)
    with pytest.raises((OperationalError, InterfaceError)):
        drain_batch(now=datetime.now(UTC))
    monkeypatch.undo()
    connections.close_all()
    assert statuses() == ["queued"] * 3
    assert work() == Drained(completed=3)
    assert balance(alice.http, purse)[3] == 994


def test_many_drainers_and_scarce_money_end_every_transfer_once(committed, alice, bob, shop, purse, bobs):
    third = alice.open()
    shop.fund(bobs, 500)
    pairs = [(alice, purse, bobs), (bob, bobs, purse), (alice, purse, third), (alice, third, bobs)]
    for number in range(20):
        person, source, destination = pairs[number % 4]
        queue(person, source, destination, [1 + (number * 7 + step) % 97 for step in range(100)])

    def drainer(_number):
        all_done = Drained()
        while Transfer.objects.filter(status="queued").exists():
            all_done += drain_batch(now=datetime.now(UTC), limit=20)
        return all_done

    counts = sum(at_once(4, drainer), Drained()) + work()
    found = list(Transfer.objects.all())
    assert (len(found), counts.completed + counts.failed, counts.put_off, counts.set_aside) == (2_000, 2_000, 0, 0)
    assert {each.status for each in found} == {"completed", "failed"}
    for wallet, start, http in ((purse, 1_000, alice.http), (bobs, 500, bob.http), (third, 0, alice.http)):
        moved = [each for each in found if each.status == "completed"]
        came = sum(each.amount for each in moved if each.destination_id == wallet.id)
        went = sum(each.amount for each in moved if each.source_id == wallet.id)
        assert balance(http, wallet)[0] == start + came - went >= 0
    assert sum(each.status == "completed" for each in found) == counts.completed > 100
    assert all((each.transaction_id is not None) == (each.status == "completed") for each in found)
    assert AuditEvent.objects.filter(action__in=("transfer.made", "transfer.failed")).count() == 2_000
    assert books_are_clean()


def test_many_drainers_keep_the_order(committed, alice, bob, purse, bobs):
    amounts = [1 + number * 13 % 40 for number in range(200)]
    ids, left, ends = queue(alice, purse, bobs, amounts), 1_000, []

    def drainer(_number):
        while Transfer.objects.filter(status="queued").exists():
            drain_batch(now=datetime.now(UTC), limit=3)

    at_once(4, drainer)
    for amount in amounts:
        ends.append("completed" if amount <= left else "failed")
        left -= amount if amount <= left else 0
    assert [Transfer.objects.get(pk=id).status for id in ids] == ends
    assert balance(alice.http, purse)[3] == left


def test_drainers_and_plain_transfers_share_a_wallet(committed, alice, bob, shop, purse, bobs):
    queue(alice, purse, bobs, [3] * 300)

    def act(number):
        if number < 2:
            return drain.drain(clock=lambda: datetime.now(UTC), seconds=30)
        return [ask(alice, purse, bobs, 2, prefer="").status for _ in range(20)]

    at_once(4, act)
    work()
    made = sum(Transfer.objects.filter(status="completed").values_list("amount", flat=True))
    assert balance(alice.http, purse)[0] == 1_000 - made >= 0
    assert not Transfer.objects.filter(status="queued").exists()
    assert books_are_clean()


def test_accepting_and_draining_at_once_lose_nothing(committed, alice, purse, bobs):
    def act(number):
        if number == 0:
            while Transfer.objects.filter(status="completed").count() < 60:
                drain_batch(now=datetime.now(UTC), limit=7)
            return None
        return [ask(alice, purse, bobs, 1, key=f"{number}-{step}").status for step in range(20)]

    assert at_once(4, act)[1:] == [[202] * 20] * 3
    assert balance(alice.http, purse)[3] == 940


@example_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    plan=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 700)), min_size=1, max_size=14),
    bad=st.sets(st.integers(0, 13), max_size=3),
    kills=st.lists(st.sampled_from([*STEPS, None]), max_size=3),
    limit=st.integers(1, 6),
)
def test_one_worker_does_what_the_same_list_done_by_hand_would(alice, bob, shop, purse, bobs, plan, bad, kills, limit):
    """Whatever is refused, poisoned or killed on the way: the ends are those of the list run in order, once."""
    third = alice.open()
    wallets = [(alice, purse), (bob, bobs), (alice, third)]
    start = [balance(person.http, wallet)[0] for person, wallet in wallets]
    plan = [(source, destination, amount) for source, destination, amount in plan if source != destination]
    ids = [
        queue(wallets[source][0], wallets[source][1], wallets[destination][1], [amount])[0]
        for source, destination, amount in plan
    ]
    poisoned = {ids[index] for index in bad if index < len(ids)}
    expected, ends = list(start), []
    for id, (source, destination, amount) in zip(ids, plan, strict=True):
        if id in poisoned:
            ends.append("set_aside")
        elif expected[source] < amount:
            ends.append("failed")
        else:
            expected[source] -= amount
            expected[destination] += amount
            ends.append("completed")
    for step in kills:
        _die_once(step, limit)
    with pytest.MonkeyPatch.context() as patched:
        poison(patched, *poisoned)
        while drain_batch(now=datetime.now(UTC), limit=limit):
            pass
    assert [Transfer.objects.get(pk=id).status for id in ids] == ends
    assert [balance(person.http, wallet)[0] for person, wallet in wallets] == expected
    assert books_are_clean()


def _die_once(step, limit):
    if step is None:
        return
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(step, lambda *_args, **_more: (_ for _ in ()).throw(Killed()))
        with suppress(Killed):
            drain_batch(now=datetime.now(UTC), limit=limit)
