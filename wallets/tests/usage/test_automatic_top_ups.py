"""Wallets that are topped up by themselves: once for each need, with a pause after it, and a longer one after a no."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from users.models import AuditEvent
from users.permissions import PermissionDenied
from users.validation import ValidationError
from wallets import tasks
from wallets.access import NotFound
from wallets.models import AutomaticTopUp, AutomaticTopUpAttempt, Member, Transfer, UsageAlert, UsageSettlement, Wallet
from wallets.tests.conftest import balance, books_are_clean
from wallets.tests.test_once import at_once
from wallets.tests.usage.conftest import TESTER, read
from wallets.transfers import CurrencyMismatch, SameWallet
from wallets.usage import automatic, settling, thresholds, topping_up
from wallets.usage.automatic import Plan


@pytest.fixture
def savings(alice, shop):
    """Another wallet of Alice's, with 10,000 in it."""
    wallet = alice.open(name="Savings")
    shop.fund(wallet, 10_000)
    return wallet


def plan(alice, wallet, source, **more):
    plan = Plan(source.pk, **{"below": 500, "amount": 2_000, **more})
    return automatic.set_up(alice.caller, wallet.pk, plan, now=timezone.now())


def top_up():
    return topping_up.top_up_due(clock=timezone.now)


def attempts():
    return list(AutomaticTopUpAttempt.objects.order_by("id").values_list("outcome", "code"))


def test_a_wallet_is_topped_up_when_usage_leaves_it_less_than_its_mark(metering, alice, purse, savings):
    plan(alice, purse, savings)
    metering.use(purse, 2_000)
    assert (top_up(), read(purse).current) == (0, 500)
    metering.use(purse, 4)
    assert (top_up(), read(purse).current) == (1, 2_499)
    assert (balance(alice.http, purse)[3], balance(alice.http, savings)[3]) == (3_000, 8_000)
    attempt, transfer = AutomaticTopUpAttempt.objects.get(), Transfer.objects.get()
    assert (attempt.outcome, attempt.current, attempt.transfer) == ("completed", Decimal(499), transfer)
    trail = AuditEvent.objects.filter(object_id=str(purse.pk), action__startswith="automatic_top_up").order_by("id")
    assert [(event.action, event.actor_kind) for event in trail] == [
        ("automatic_top_up.set_up", "person"), ("automatic_top_up.completed", "system"),
    ]  # fmt: skip
    assert books_are_clean()


def test_one_that_wasnt_enough_is_followed_by_another_after_the_cool_down(metering, alice, purse, savings, clock):
    plan(alice, purse, savings, amount=100, cool_down=300)
    metering.use(purse, 4_000)
    assert [top_up(), top_up()] == [1, 0]
    clock.shift(timedelta(seconds=299))
    assert top_up() == 0
    clock.shift(timedelta(seconds=1))
    assert (top_up(), read(purse).current) == (1, 200)


def test_what_is_declined_is_asked_for_ever_less_often(metering, alice, purse, savings, shop, clock):
    plan(alice, purse, savings, amount=20_000, cool_down=600)
    metering.use(purse, 4_000)
    tries = []
    for minute in range(0, 24 * 60, 10):
        if top_up():
            tries.append(minute)
        clock.shift(timedelta(minutes=10))
    assert tries == [0, 20, 60, 140, 300, 620, 1_260]
    assert set(attempts()) == {("declined", "insufficient_funds")}
    assert read(savings).standing.balance == 10_000
    shop.fund(savings, 10_000)
    clock.shift(timedelta(days=1))
    assert (top_up(), AutomaticTopUp.objects.get().declines) == (1, 0)


def test_no_pause_is_longer_than_a_day():
    assert topping_up.pause(600, 1) == timedelta(minutes=20)
    assert topping_up.pause(600, 1_000) == timedelta(days=1)


def test_a_month_has_its_cap_and_the_next_one_its_own(metering, alice, purse, savings, clock):
    plan(alice, purse, savings, amount=300, monthly_cap=700, cool_down=60)
    metering.use(purse, 8_000)
    for _ in range(6):
        top_up()
        clock.shift(timedelta(hours=1))
    assert attempts() == [("completed", ""), ("completed", ""), ("declined", "monthly_cap")]
    assert AutomaticTopUp.objects.get().next_at == datetime(2026, 4, 1, tzinfo=UTC)
    clock.move_to(datetime(2026, 4, 1, tzinfo=UTC))
    assert (top_up(), read(purse).current) == (1, -100)


def test_usage_that_waited_for_money_is_settled_at_once(metering, alice, purse, savings, clock):
    plan(alice, purse, savings)
    metering.use(purse, 8_000)
    clock.shift(timedelta(minutes=2))
    settling.settle_due(clock=timezone.now, seconds=5)
    assert UsageSettlement.objects.get().amount == 1_000
    top_up()
    settling.settle_due(clock=timezone.now, seconds=5)
    assert (read(purse).current, read(purse).standing.available) == (1_000, 1_000)


def test_what_is_topped_up_in_time_alarms_nobody(metering, alice, purse, savings):
    plan(alice, purse, savings)
    thresholds.add(purse.pk, kind="current", below=400, actor=TESTER, now=timezone.now())
    metering.use(purse, 3_000)
    tasks.watch_usage()
    assert (attempts(), UsageAlert.objects.count()) == ([("completed", "")], 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda wallet: Wallet.objects.filter(pk=wallet.pk).update(status="frozen"), "wallet_frozen"),
        (lambda wallet: Member.objects.filter(wallet=wallet).update(role="viewer"), "permission_denied"),
        (lambda wallet: Member.objects.filter(wallet=wallet).delete(), "not_found"),
    ],
)
def test_what_its_owner_may_no_longer_do_is_declined(metering, alice, purse, savings, change, code):
    plan(alice, purse, savings)
    metering.use(purse, 4_000)
    change(savings)
    assert (top_up(), attempts()) == (1, [("declined", code)])
    assert (Transfer.objects.count(), read(savings).standing.balance) == (0, 10_000)


def test_only_who_manages_both_wallets_sets_it_up_and_switches_it_off(alice, bob, charlie, purse, savings, bobs):
    Member.objects.create(wallet=purse, user=bob.user, role="spender", created_at=timezone.now())
    for person, source, refusal in (
        (bob, savings, PermissionDenied), (charlie, savings, NotFound), (alice, bobs, NotFound),
    ):  # fmt: skip
        with pytest.raises(refusal):
            plan(person, purse, source)
    plan(alice, purse, savings)
    with pytest.raises(PermissionDenied):
        automatic.switch_off(bob.caller, purse.pk, now=timezone.now())
    assert AutomaticTopUp.objects.get().is_active


@pytest.mark.parametrize(
    ("refusal", "change"),
    [
        (ValidationError, {"amount": 0}), (ValidationError, {"cool_down": 59}), (ValidationError, {"monthly_cap": 1}),
        (ValidationError, {"below": 10**16}),
    ],
)  # fmt: skip
def test_a_plan_that_makes_no_sense_is_refused(alice, purse, savings, refusal, change):
    with pytest.raises(refusal):
        plan(alice, purse, savings, **change)
    assert not AutomaticTopUp.objects.exists()


def test_a_source_is_another_wallet_of_the_owner_in_its_currency(alice, bob, purse, bobs):
    Member.objects.create(wallet=bobs, user=alice.user, role="owner", created_at=timezone.now())
    for source, refusal in ((purse, SameWallet), (alice.open("USD"), CurrencyMismatch), (bobs, ValidationError)):
        with pytest.raises(refusal):
            plan(alice, purse, source)
    assert not AutomaticTopUp.objects.exists()


def test_one_that_is_switched_off_does_nothing_until_staff_let_it(metering, alice, sade, purse, savings):
    plan(alice, purse, savings)
    automatic.switch_off(alice.caller, purse.pk, now=timezone.now())
    metering.use(purse, 4_000)
    assert top_up() == 0
    automatic.try_again(purse.pk, actor=sade.user, reason="She asked for it.", now=timezone.now())
    assert top_up() == 1
    automatic.stop(purse.pk, actor=sade.user, reason="A fraud case.", now=timezone.now())
    assert not AutomaticTopUp.objects.get().is_active


def test_eight_workers_top_up_once(committed, metering, alice, purse, savings):
    plan(alice, purse, savings)
    metering.use(purse, 4_000)
    now = timezone.now()
    made = at_once(8, lambda _: topping_up.top_up(purse.pk, now=now))
    assert sum(attempt is not None for attempt in made) == 1
    assert (attempts(), read(savings).standing.balance, books_are_clean()) == ([("completed", "")], 8_000, True)


def test_however_events_settlements_and_workers_race_a_fall_is_one_top_up(committed, metering, alice, purse, savings):
    plan(alice, purse, savings)
    events = [metering.event(purse, 100) for _ in range(60)]

    def work(number):
        if number < 3:
            return [metering.take(event) for event in events[number::3]] and 0
        if number == 3:
            return [metering.settle(purse) for _ in range(10)] and 0
        return sum(top_up() for _ in range(15))

    found = sum(at_once(7, work)) + top_up()
    assert (found, attempts()) == (1, [("completed", "")])
    assert (read(purse).current, read(savings).standing.balance) == (1_500, 8_000)
    assert books_are_clean()
