"""Calls that arrive together are done together, each with its own outcome."""

from threading import Event
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from ledger.decision import InsufficientFunds
from users.models import AuditEvent
from wallets.models import IdempotencyKey
from wallets.tests.conftest import Http, balance, books_are_clean
from wallets.tests.test_once import at_once
from wallets.together import DATABASE_AWAY, Together, _Call


class Doer:
    """Doubles numbers, and keeps the first caller busy until the others wait."""

    def __init__(self) -> None:
        self.groups, self.others_wait = [], Event()

    def __call__(self, items) -> list[int]:
        self.groups.append(list(items))
        if len(self.groups) == 1:
            self.others_wait.wait(5)
        if any(item < 0 for item in items):
            raise ValueError(f"can't do {items}")
        return [item * 2 for item in items]


def run(doer, numbers, limit=100):
    """Call with all the numbers at once; the first is done alone, and the rest wait for it."""
    together = Together(doer, limit=limit)

    def call(number):
        if number == 1:
            while len(together._waiting) < len(numbers) - 1:
                pass
            doer.others_wait.set()
            return None
        if number > 1:
            while not doer.groups:
                pass
        try:
            return together(numbers[max(number - 1, 0)])
        except ValueError as error:
            return str(error)

    answers = at_once(len(numbers) + 1, call)
    return [answers[0], *answers[2:]]


def test_those_who_wait_are_done_in_one_go():
    doer = Doer()
    assert run(doer, [1, 2, 3, 4, 5]) == [2, 4, 6, 8, 10]
    assert [len(group) for group in doer.groups] == [1, 4]


def test_a_group_has_a_limit():
    doer = Doer()
    assert run(doer, [1, 2, 3, 4, 5], limit=3) == [2, 4, 6, 8, 10]
    assert [len(group) for group in doer.groups] == [1, 3, 1]


def test_where_some_wait_those_who_are_nearly_here_are_waited_for(monkeypatch):
    doer, lingers = Doer(), Event()
    together = Together(doer, limit=100, linger=60)

    def sleep(seconds):
        if seconds:
            lingers.set()
            while len(together._waiting) < 3:
                pass

    def call(number):
        while number and not doer.groups:
            pass
        if number == 3:
            lingers.wait(5)
        if number == 4:
            while len(together._waiting) < 2:
                pass
            doer.others_wait.set()
            return None
        return together(number)

    monkeypatch.setattr("wallets.together.time", SimpleNamespace(sleep=sleep))
    assert at_once(5, call) == [0, 2, 4, 6, None]
    assert [sorted(group) for group in doer.groups] == [[0], [1, 2, 3]]


def test_one_that_cant_be_done_doesnt_keep_the_others_from_it():
    doer = Doer()
    assert run(doer, [1, 2, -3, 4]) == [2, 4, "can't do [-3]", 8]


def test_where_the_database_is_away_nobody_waits_for_the_others_time_outs():
    doer = Doer()

    def away(items):
        if doer.groups:
            doer.groups.append(list(items))
            raise OperationalError("away")
        return doer(items)

    together = Together(away, limit=100, shared=(OperationalError,))

    def call(number):
        if number == 0:
            return together(1)
        while not doer.groups:
            pass
        if number == 1:
            while len(together._waiting) < 3:
                pass
            doer.others_wait.set()
            return None
        try:
            return together(number)
        except OperationalError:
            return "away"

    assert at_once(5, call) == [2, None, "away", "away", "away"]
    assert len(doer.groups) == 2


def test_where_it_goes_away_while_they_are_done_one_by_one_the_rest_isnt_tried():
    tried = []

    def fail(items):
        tried.append(list(items))
        raise OperationalError("away") if len(items) == 1 else ValueError("not together")

    calls = [_Call(number) for number in range(4)]
    Together(fail, limit=100, shared=DATABASE_AWAY)._do_all(calls)
    assert tried == [[0, 1, 2, 3], [0]]
    assert {str(call.error) for call in calls} == {"away"}


def test_transfers_of_many_callers_at_once_are_each_answered_and_written_down(committed, alice, bob, shop, purse, bobs):
    shop.fund(bobs, 1_000)

    def work(number):
        person, source, destination = ((alice, purse, bobs), (bob, bobs, purse))[number % 2]
        body = {"source": str(source.id), "destination": str(destination.id), "amount": 10 + number // 2}
        if number >= 8:
            body["amount"] = 10_000
        return Http(person.http.token).post("transfers", body, key=f"k-{number}", X_Request_ID=f"r-{number}")

    answers = at_once(10, work)
    assert [answer.status for answer in answers] == [201] * 8 + [422] * 2
    assert [answer.body["request_id"] for answer in answers[8:]] == ["r-8", "r-9"]
    assert len({answer.body["id"] for answer in answers[:8]}) == 8
    assert IdempotencyKey.objects.filter(key__startswith="k-").count() == 10
    trail = AuditEvent.objects.filter(action="transfer.made").values_list("request_id", "actor_id")
    assert dict(trail) == {f"r-{number}": str((alice, bob)[number % 2].user.pk) for number in range(8)}
    assert (balance(alice.http, purse)[3], balance(bob.http, bobs)[3]) == (1_000, 1_000)
    assert books_are_clean()


def test_a_refusal_in_a_group_is_told_as_it_would_be_alone(alice, purse, bobs):
    refused = alice.http.post("transfers", {"source": str(purse.id), "destination": str(bobs.id), "amount": 5_000})
    assert (refused.code, refused.body["available"]) == (InsufficientFunds.code, 1_000)


@pytest.mark.parametrize("status", [201, 422])
def test_what_was_done_in_a_group_is_replayed(alice, purse, bobs, status):
    body = {"source": str(purse.id), "destination": str(bobs.id), "amount": 10 if status == 201 else 5_000}
    first, again = (alice.http.post("transfers", body, key="k-1") for _ in range(2))
    assert (first.status, again.status, again.body) == (status, status, first.body)
