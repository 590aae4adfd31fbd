"""Usage counted again from raw events: nothing differs, and what does is told, and repaired by a posting alone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from users.validation import ValidationError
from wallets import tasks
from wallets.access import NotFound
from wallets.models import (
    UsageAccount,
    UsageDifference,
    UsageMonth,
    UsageRecalculation,
    UsageRollup,
    UsageSettlement,
    UsageValue,
)
from wallets.opening import InvalidState
from wallets.tests.conftest import books_are_clean
from wallets.tests.usage.conftest import TESTER, read, tiers
from wallets.usage import rebuilding, recalculation, repairing, series
from wallets.usage.recounting import Months


def recalculate(**more):
    """A whole job; returns what it found."""
    job = recalculation.begin(by=TESTER, now=timezone.now(), **more)
    while recalculation.step(job, now=timezone.now()):
        pass
    return job


@pytest.fixture
def used(metering, purse, bobs):
    """Two wallets that used meters of all kinds, in two months."""
    metering.meter("disk", "3", aggregation="max")
    metering.meter("seats", "5", aggregation="unique", property="user")
    metering.meter("level", "0.5", aggregation="latest")
    metering.meter("jobs", tiers(("2", "1"), (None, "0.1")), aggregation="count")
    month = 14 * 86_400
    metering.take(
        *[metering.event(wallet, number, ago=number * month) for wallet in (purse, bobs) for number in (1, 2)],
        *[metering.event(purse, 7 - number, meter="disk", ago=number * 90) for number in range(3)],
        *[metering.event(purse, meter="seats", user=name, ago=n) for n, name in enumerate(("a", "b", "a", 1, "1"))],
        *[metering.event(purse, number, meter="level", ago=number * 90) for number in range(4)],
        *[metering.event(bobs, meter="jobs") for _ in range(4)],
    )
    return purse


def test_nothing_differs(used):
    job = recalculate()
    assert (job.state, job.wallets_done, job.events, job.differences) == ("finished", 2, 20, 0)


def test_a_month_that_was_tampered_with_is_told(used, bobs):
    UsageMonth.objects.filter(wallet=used, meter__slug="disk").update(quantity=8, amount=24)
    job = recalculate()
    (found,) = UsageDifference.objects.all()
    assert (job.differences, found.quantity, found.amount) == (1, 8, 24)
    assert (found.counted_quantity, found.counted_amount) == (7, 21)
    assert UsageMonth.objects.get(wallet=used, meter__slug="disk").quantity == 8


def test_a_repair_is_a_posting_that_says_why(used, alice):
    metered = UsageMonth.objects.get(wallet=used, meter__slug="disk")
    tamper(metered, quantity=8, amount=24)
    before = read(used)
    (found,) = differences()
    made = repairing.repair(found.pk, by=TESTER, reason="A bug in March", now=timezone.now())
    assert (made.reason, made.transaction_id is not None) == ("A bug in March", True)
    after = read(used)
    assert (after.current - before.current, after.unsettled < 1) == (3, True)
    assert recalculate().differences == 0
    assert books_are_clean()


def test_what_was_taken_too_much_is_given_back(used, metering):
    metering.settle(used)
    settled = read(used).standing.available
    metered = UsageMonth.objects.get(wallet=used, meter__slug="disk")
    tamper(metered, quantity=107, amount=321)
    metering.settle(used)
    assert read(used).standing.available == settled - 300
    (found,) = differences()
    made = repairing.repair(found.pk, by=TESTER, reason="Never so much", now=timezone.now())
    assert (made.amount, read(used).standing.available) == (-300, settled)


def test_a_month_that_has_moved_is_counted_again_first(used, metering):
    metered = UsageMonth.objects.get(wallet=used, meter__slug="disk")
    tamper(metered, quantity=8, amount=24)
    (found,) = differences()
    metering.use(used, 9, meter="disk")
    with pytest.raises(InvalidState, match="has moved"):
        repairing.repair(found.pk, by=TESTER, reason="x", now=timezone.now())
    assert not UsageSettlement.objects.exists()


def test_a_difference_is_decided_once_and_with_a_reason(used):
    tamper(UsageMonth.objects.get(wallet=used, meter__slug="disk"), quantity=8, amount=24)
    (found,) = differences()
    with pytest.raises(ValidationError):
        repairing.dismiss(found.pk, by=TESTER, reason=" ", now=timezone.now())
    repairing.dismiss(found.pk, by=TESTER, reason="Agreed on", now=timezone.now())
    for decide in (repairing.dismiss, repairing.repair):
        with pytest.raises(InvalidState):
            decide(found.pk, by=TESTER, reason="x", now=timezone.now())
    with pytest.raises(NotFound):
        repairing.repair(used.pk, by=TESTER, reason="x", now=timezone.now())


def test_a_job_that_was_interrupted_goes_on(used, monkeypatch):
    monkeypatch.setattr(recalculation, "BATCH", 1)
    job = recalculation.begin(by=TESTER, now=timezone.now())
    recalculation.step(job, now=timezone.now())
    assert (job.state, job.wallets_done) == ("running", 1)
    tasks.recalculate_usage()
    job.refresh_from_db()
    assert (job.state, job.wallets_done, job.events) == ("finished", 2, 20)


def test_a_batch_that_two_workers_count_is_kept_once(used, monkeypatch):
    tamper(UsageMonth.objects.get(wallet=used, meter__slug="disk"), quantity=8, amount=24)
    job = recalculation.begin(by=TESTER, now=timezone.now())
    twin = UsageRecalculation.objects.get(pk=job.pk)
    for each in (job, twin):
        recalculation.step(each, now=timezone.now())
    job.refresh_from_db()
    assert (job.wallets_done, job.differences, UsageDifference.objects.count()) == (2, 1, 1)


def test_one_wallet_can_be_counted_alone(used, bobs):
    job = recalculate(wallet_id=bobs.pk)
    assert (job.wallets_total, job.wallets_done, job.events) == (1, 1, 6)


def test_only_months_whose_events_are_all_kept_are_counted(settings):
    settings.USAGE_EVENT_DAYS = 90
    now = datetime(2026, 6, 10, tzinfo=UTC)
    assert recalculation.provable(now) == (date(2026, 4, 1), date(2026, 6, 1))
    with pytest.raises(ValidationError, match="kept from 2026-04"):
        recalculation.begin(by=TESTER, now=now, until=date(2026, 3, 31))


def test_a_job_is_stopped(used):
    job = recalculation.begin(by=TESTER, now=timezone.now())
    assert recalculation.stop(job.pk, by=TESTER, now=timezone.now())
    tasks.recalculate_usage()
    job.refresh_from_db()
    assert (job.state, job.wallets_done) == ("stopped", 0)


def test_minutes_and_values_made_anew_are_the_same(used):
    def everything():
        now = timezone.now()
        return (
            list(UsageRollup.objects.order_by("pk").values_list()),
            list(UsageValue.objects.order_by("pk").values_list()),
            [series.points(used.pk, step, meter=None, since=now - timedelta(days=40), until=now)
             for step in series.STEPS.values()],
        )  # fmt: skip

    before = everything()
    UsageRollup.objects.filter(wallet=used).update(quantity=0)
    for _ in range(2):
        rebuilding.rebuild(used.pk, Months(date(2026, 2, 1), date(2026, 3, 1)))
        assert everything() == before


def tamper(month, **wrong):
    """What a defect would do to a month, and with it to the account."""
    account = UsageAccount.objects.get(pk=month.wallet_id)
    UsageMonth.objects.filter(pk=month.pk).update(**wrong)
    rated = account.rated + Decimal(wrong["amount"]) - month.amount
    UsageAccount.objects.filter(pk=month.wallet_id).update(rated=rated, version=account.version + 1)


def differences():
    recalculate()
    return list(UsageDifference.objects.filter(state="open"))
