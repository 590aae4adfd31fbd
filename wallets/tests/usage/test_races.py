"""Many at once, by real threads on a real database: each event counts once, and each minor unit is taken once."""

from collections import Counter
from decimal import Decimal
from threading import Event

import pytest
from django.db import transaction
from django.utils import timezone

from tests.crash.processes import wait_for
from users.callers import Caller
from wallets import opening
from wallets.models import UsageEvent, UsageMonth, UsageSettlement
from wallets.opening import InvalidState, WalletNotEmpty
from wallets.tests.conftest import books_are_clean
from wallets.tests.test_once import at_once
from wallets.tests.usage.conftest import EVERYBODY, read, somebody_waits
from wallets.usage import ingestion, keys, recalculation, reservations, settling
from wallets.usage.reservations import Want

WRITERS = 8


@pytest.mark.parametrize("careful", [0, 1_000], ids=["as if all were new", "event by event after the first repeat"])
def test_eight_writers_of_the_same_events_count_each_once(committed, metering, purse, bobs, careful, monkeypatch):
    monkeypatch.setattr(keys, "CAREFUL_EVENTS", careful)
    events = [metering.event(wallet, 4) for wallet in (purse, bobs) for _ in range(50)]

    def work(number):
        turned = events[number * 10 :] + events[: number * 10]
        return Counter(outcome.status for outcome in metering.take(*(turned if number % 2 else reversed(turned))))

    total = sum(at_once(WRITERS, work), Counter())
    assert total == {"accepted": 100, "duplicate": 700}
    assert UsageEvent.objects.count() == 100
    assert {read(wallet).unsettled for wallet in (purse, bobs)} == {Decimal(50)}


def test_one_id_with_eight_contents_has_one_winner(committed, metering, purse):
    events = [metering.event(purse, number + 1, id="e-1") for number in range(WRITERS)]
    outcomes = at_once(WRITERS, lambda number: metering.take(events[number])[0].status)
    assert Counter(outcomes) == {"accepted": 1, "conflict": 7}
    (winner,) = UsageEvent.objects.all()
    assert read(purse).unsettled == winner.quantity / 4


def test_a_batch_waits_for_who_claims_one_of_its_events_and_takes_the_others(committed, metering, purse):
    ours, theirs = [metering.event(purse, 4) for _ in range(9)], metering.event(purse, 4)
    claimed = Event()

    def work(number):
        if number:
            assert claimed.wait(10)
            return Counter(outcome.status for outcome in metering.take(*ours, theirs))
        with transaction.atomic():
            (outcome,) = ingestion.take([theirs], now=timezone.now())
            claimed.set()
            wait_for("the batch waits", somebody_waits)
        return outcome.status

    assert at_once(2, work) == ["accepted", {"accepted": 9, "duplicate": 1}]
    assert read(purse).unsettled == Decimal(10)


def test_settlements_at_once_take_nothing_twice(committed, metering, purse):
    metering.use(purse, 1_002)
    made = at_once(WRITERS, lambda _: metering.settle(purse))
    assert [settled.amount for settled in made if settled] == [250]
    assert (read(purse).standing.balance, read(purse).current) == (750, Decimal("749.5"))
    assert books_are_clean()


@pytest.mark.parametrize("round_", range(3))
def test_writers_and_settlers_lose_nothing_between_them(committed, metering, purse, round_):
    batches = [[metering.event(purse, 3) for _ in range(5)] for _ in range(24)]

    def work(number):
        for batch in batches[number::4] if number < 4 else [None] * 6:
            metering.take(*batch) if batch else metering.settle(purse)

    at_once(WRITERS, work)
    used = Decimal(24 * 5 * 3) / 4
    found = read(purse)
    assert found.current == 1_000 - used
    assert found.standing.balance == 1_000 - sum(UsageSettlement.objects.values_list("amount", flat=True))
    job = recalculation.begin(by=settling.WORKERS, now=timezone.now())
    recalculation.step(job, now=timezone.now())
    assert (job.differences, books_are_clean()) == (0, True)


def test_what_is_left_is_promised_once(committed, metering, purse):
    metering.use(purse, 2_000)
    gate = Caller("service", EVERYBODY.id, frozenset({"usage:write"}))

    def work(number):
        with transaction.atomic():
            return reservations.reserve(gate, purse.pk, Want(amount=200), seconds=60, now=timezone.now()).allowed

    assert Counter(at_once(WRITERS, work)) == {True: 2, False: 6}
    assert (read(purse).standing.held, read(purse).current) == (400, 100)


@pytest.mark.parametrize("round_", range(4))
def test_a_wallet_is_closed_or_used_and_never_both(committed, metering, bob, bobs, round_):
    def work(number):
        if number:
            return metering.use(bobs, 4).status
        try:
            return opening.close_wallet(caller=bob.caller, wallet_id=bobs.pk, now=timezone.now())
        except (WalletNotEmpty, InvalidState):
            return "kept"

    closing, *used = at_once(WRITERS, work)
    assert set(used) == ({"accepted"} if closing == "kept" else {"rejected"})
    assert UsageMonth.objects.exists() == (closing == "kept")
