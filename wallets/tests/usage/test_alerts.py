"""Alerts of wallets that run low: one for each crossing, whoever looks, and closed once there is plainly more again."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.core import mail
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from users.models import AuditEvent, User
from users.validation import ValidationError
from wallets import opening, tasks
from wallets.access import NotFound
from wallets.models import UsageAlert, UsageThreshold, Wallet
from wallets.tests.test_once import at_once
from wallets.tests.usage.conftest import TESTER
from wallets.usage import alerts, thresholds
from wallets.usage.alerts import verdict


def watch(wallet, below=500, kind="current", **more):
    return thresholds.add(wallet.pk, kind=kind, below=below, actor=TESTER, now=timezone.now(), **more)


def look():
    return alerts.judge_all(clock=timezone.now)


def opened():
    """Each alert there was: what was left, and whether it is open."""
    return [(alert.figure, alert.closed_at is None) for alert in UsageAlert.objects.order_by("id")]


@pytest.mark.parametrize(
    ("figure", "is_open", "says"),
    [
        ("500", False, "stays"), ("499.999999", False, "opens"), ("-1", False, "opens"), (None, False, "stays"),
        ("499", True, "stays"), ("549.999999", True, "stays"), ("550", True, "closes"), (None, True, "closes"),
    ],
)  # fmt: skip
def test_an_alert_opens_below_its_threshold_and_closes_above_the_margin(figure, is_open, says):
    assert verdict(None if figure is None else Decimal(figure), 500, 550, is_open=is_open) == says


@given(st.lists(st.integers(400, 650), max_size=40))
def test_there_are_as_many_alerts_as_falls_from_above_the_margin(figures):
    is_open, count = False, 0
    for figure in figures:
        says = verdict(Decimal(figure), 500, 550, is_open=is_open)
        count, is_open = count + (says == "opens"), says == "opens" or (is_open and says != "closes")
    sides = ["low" if figure < 500 else "high" for figure in figures if not 500 <= figure < 550]
    assert count == sum(pair == ("high", "low") for pair in pairwise(["high", *sides]))


def test_usage_that_isnt_settled_yet_opens_one_alert_and_money_closes_it(metering, purse, shop):
    watch(purse)
    metering.use(purse, 1_996)
    assert (look(), opened()) == (0, [])
    metering.use(purse, 12)
    assert [look(), look()] == [1, 0]
    assert opened() == [(Decimal(498), True)]
    metering.settle(purse)
    assert (look(), opened()) == (0, [(Decimal(498), True)])
    shop.fund(purse, 51)
    look()
    assert opened() == [(Decimal(498), True)], "549 is within the margin"
    shop.fund(purse, 1)
    look()
    metering.use(purse, 400)
    assert (look(), opened()) == (1, [(Decimal(498), False), (Decimal(450), True)])


def test_each_threshold_has_its_own_alert(metering, purse, bobs):
    for wallet, below in ((purse, 500), (purse, 100), (bobs, -50)):
        watch(wallet, below)
    metering.use(purse, 2_004)
    metering.use(bobs, 100)
    assert (look(), UsageAlert.objects.get().below) == (1, 500)
    metering.use(purse, 1_600)
    metering.use(bobs, 104)
    look()
    assert sorted(UsageAlert.objects.values_list("below", "latest")) == [(-50, -51), (100, 99), (500, 99)]


def test_a_runway_of_too_few_hours_is_told(metering, purse, clock):
    watch(purse, 24, kind="runway")
    assert look() == 0, "what uses nothing lasts for ever"
    for _ in range(60):
        metering.use(purse, 4)
        clock.shift(timedelta(minutes=1))
    assert look() == 1
    alert = UsageAlert.objects.get()
    assert 15 < alert.figure < 17, "940 at 60 an hour"
    assert "hours left,\nbelow 24 hours" in alerts._letter(alert)


def test_the_owner_and_finance_are_told_once(metering, purse, settings):
    settings.FINANCE_EMAILS = ["finance@example.com"]
    watch(purse)
    metering.use(purse, 3_000)
    tasks.watch_usage()
    for _ in range(2):
        tasks.mail_usage_alerts()
    (letter,) = mail.outbox
    assert letter.subject == "A wallet runs low: NGN 2.50 left"
    assert "alice@example.com" in letter.body and "below NGN 5.00" in letter.body
    assert (letter.to, letter.bcc) == (["alice@example.com"], ["finance@example.com"])
    assert "finance@example.com" not in letter.message().as_string()


def test_those_who_own_a_wallet_are_told_and_those_who_look_at_it_or_left_arent(
    metering, purse, alice, bob, charlie, sade
):
    for person, role in ((bob, "owner"), (charlie, "spender"), (sade, "owner")):
        opening.add_member(
            caller=alice.caller, wallet_id=purse.pk, user=person.user.email, role=role, now=timezone.now()
        )  # fmt: skip
    User.objects.filter(pk=sade.user.pk).update(is_active=False)
    watch(purse)
    metering.use(purse, 3_000)
    look()
    tasks.mail_usage_alerts()
    assert [letter.to for letter in mail.outbox] == [["alice@example.com", "bob@example.com"]]


def test_of_a_wallet_that_nobody_owns_finance_is_told(metering, purse, settings):
    settings.FINANCE_EMAILS = ["finance@example.com"]
    purse.members.all().delete()
    Wallet.objects.filter(pk=purse.pk).update(owner=None)
    watch(purse)
    metering.use(purse, 3_000)
    look()
    tasks.mail_usage_alerts()
    assert [(letter.to, letter.bcc) for letter in mail.outbox] == [(["finance@example.com"], [])]


def test_a_mail_that_fails_is_sent_later(metering, purse, settings, monkeypatch):
    settings.FINANCE_EMAILS = ["finance@example.com"]
    watch(purse)
    metering.use(purse, 3_000)
    look()
    monkeypatch.setattr("wallets.finance.EmailMessage.send", lambda *_: 1 / 0)
    tasks.mail_usage_alerts()
    assert UsageAlert.objects.get().mailed_at is None
    monkeypatch.undo()
    tasks.mail_usage_alerts()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("kind", "below", "clears_at"),
    [("current", 500, 500), ("current", 500, 499), ("runway", 0, None), ("current", 10**15, None)],
)
def test_a_threshold_that_makes_no_sense_is_refused(purse, kind, below, clears_at):
    with pytest.raises(ValidationError):
        watch(purse, below, kind, clears_at=clears_at)
    assert not UsageThreshold.objects.exists()


def test_a_threshold_is_set_once(purse):
    watch(purse)
    with pytest.raises(ValidationError):
        watch(purse)
    assert UsageThreshold.objects.count() == 1


def test_a_threshold_that_is_removed_closes_its_alert(metering, purse):
    threshold = watch(purse)
    metering.use(purse, 3_000)
    look()
    thresholds.remove(threshold.pk, actor=TESTER, now=timezone.now())
    assert opened() == [(Decimal(250), False)]
    assert look() == 0
    with pytest.raises(NotFound):
        thresholds.remove(threshold.pk, actor=TESTER, now=timezone.now())
    trail = AuditEvent.objects.filter(object_id=str(purse.pk), action__startswith="usage.threshold").order_by("id")
    assert [event.action for event in trail] == ["usage.threshold_set", "usage.threshold_removed"]


def test_a_crossing_is_one_alert_however_many_events_and_workers_race(committed, metering, purse):
    watch(purse)
    events = [metering.event(purse, 60) for _ in range(60)]

    def work(number):
        if number < 4:
            return [metering.take(*events[at : at + 5]) for at in range(15 * number, 15 * number + 15, 5)] and 0
        return sum(look() for _ in range(10))

    found = sum(at_once(8, work)) + look()
    assert (found, UsageAlert.objects.count()) == (1, 1)
    assert UsageAlert.objects.get().latest == 100


def test_a_wallet_that_recovers_while_workers_look_has_no_alert_of_what_was(committed, metering, purse, shop):
    """Each fall is one alert: none is opened upon a balance that somebody read before the money came."""
    watch(purse)
    falls = 4

    def work(number):
        if number:
            return sum(look() for _ in range(25))
        for _ in range(falls):
            metering.use(purse, 2_400)
            look()
            shop.fund(purse, 600)
            look()
        return 0

    at_once(5, work)
    look()
    assert UsageAlert.objects.count() <= falls
    assert not UsageAlert.objects.filter(closed_at=None).exists()
