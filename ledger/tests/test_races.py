"""Real threads on real connections: whatever they do at once, the books stay right."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from ledger import holds, verify
from ledger.decision import Refused
from ledger.durable import durable
from ledger.posting import Posting, post, post_durably
from ledger.requests import Close, Place
from ledger.tests.conftest import NOW, transfer

THREADS = 8


def at_once(work: Callable[[int], str]) -> list[str]:
    """Run `work(0)` … `work(7)` in threads that start together; the answers, a refusal as its code."""
    barrier = Barrier(THREADS)

    def run(number: int) -> str:
        try:
            barrier.wait(10)
            return work(number)
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.fixture
def rich(committed_books):
    with transaction.atomic():
        committed_books.fund(committed_books.alice, 1_000)
        committed_books.fund(committed_books.bob, 1_000)
    return committed_books


def test_the_same_money_is_spent_once(rich):
    def spend(number: int) -> str:
        post_durably(transfer(rich.alice, rich.bob, 1_000, f"t:{number}"), now=NOW)
        return "done"

    answers = at_once(spend)
    assert sorted(answers) == ["done"] + ["insufficient_funds"] * (THREADS - 1)
    assert (rich.available(rich.alice), rich.available(rich.bob)) == (0, 2_000)
    assert verify.clean()


def test_opposite_transfers_dont_deadlock(rich):
    def back_and_forth(number: int) -> str:
        pair = (rich.alice, rich.bob) if number % 2 else (rich.bob, rich.alice)
        for turn in range(30):
            post_durably(transfer(*pair, 1, f"t:{number}:{turn}"), now=NOW)
        return "done"

    assert at_once(back_and_forth) == ["done"] * THREADS
    assert rich.available(rich.alice) + rich.available(rich.bob) == 2_000
    assert verify.clean()


def test_batches_and_singles_in_any_order_of_accounts_dont_deadlock(rich):
    def shuffle(number: int) -> str:
        chance = random.Random(number)
        for turn in range(10):
            batch = [
                transfer(*chance.sample([rich.alice, rich.bob, rich.cash], 2), 1, f"t:{number}:{turn}:{item}")
                for item in range(chance.choice([1, 20, 60]))
            ]
            _post(batch, whole=chance.random() < 0.5)
        return "done"

    @durable
    def _post(batch: list[Posting], whole: bool) -> None:
        post(batch, now=NOW, whole=whole)

    assert at_once(shuffle) == ["done"] * THREADS
    assert verify.clean()


def test_a_hold_is_captured_or_released_never_both(rich):
    hold = Place(rich.alice.id, 600, "hold")
    with transaction.atomic():
        holds.place(hold, now=NOW)

    @durable
    def close(number: int) -> str:
        if number % 2:
            holds.release(rich.alice.id, hold.id, now=NOW)
            return "released"
        legs = (rich.alice.debit(600), rich.cash.credit(600))
        holds.capture(rich.alice.id, hold.id, 600, legs, kind="withdrawal", reference=f"w:{number}", now=NOW)
        return "captured"

    answers = at_once(close)
    assert answers.count("hold_closed") == THREADS - 1
    assert rich.available(rich.alice) == (400 if "captured" in answers else 1_000)
    assert verify.clean()


def test_holds_and_spends_never_pass_what_there_is(rich):
    @durable
    def take(number: int) -> str:
        if number % 2:
            holds.place(Place(rich.alice.id, 300, f"hold:{number}"), now=NOW)
        else:
            post([transfer(rich.alice, rich.bob, 300, f"t:{number}")], now=NOW, whole=True)
        return "asked"

    at_once(take)
    standing = rich.standing(rich.alice)
    assert standing.available == 100
    assert verify.clean()


def test_a_taken_reference_is_taken_for_one_of_many(rich):
    from ledger.posting import ReferenceTaken

    def once(number: int) -> str:
        try:
            post_durably(transfer(rich.alice, rich.bob, 10, "t:same"), now=NOW)
            return "done"
        except ReferenceTaken as taken:
            return taken.code

    assert at_once(once).count("done") == 1
    assert rich.available(rich.alice) == 990


def test_an_emptying_close_and_a_spend_agree(rich):
    hold = Place(rich.alice.id, 1_000, "hold")
    with transaction.atomic():
        holds.place(hold, now=NOW)

    @durable
    def work(number: int) -> str:
        if number == 0:
            post([Posting("release", "r", closes=(Close(rich.alice.id, hold.id),))], now=NOW)
            return "released"
        posted = post([transfer(rich.alice, rich.bob, 1_000, f"t:{number}")], now=NOW)
        return "refused" if posted.refusals[0] else "done"

    answers = at_once(work)
    assert answers.count("done") <= 1
    assert verify.clean()
