"""What is done to usage now and then: days made ahead and dropped, minutes merged, keys and quarantine forgotten."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from ledger import sql
from wallets import tasks
from wallets.models import QuarantinedEvent, UsageEvent, UsageEventKey, UsageRollup
from wallets.tests.usage.conftest import EVERYBODY, read
from wallets.usage import compaction, keys, partitions, quarantine, series

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def days():
    rows = sql.rows("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'wallets_usageevent'::regclass")
    return {name.removeprefix("wallets_usageevent_") for (name,) in rows}


def test_days_are_made_ahead_once(db):
    made = partitions.make(now=NOW)
    assert made == 8
    assert {"20260801", "20260808"} <= days()
    assert partitions.make(now=NOW) == 0


def test_what_came_before_its_day_was_made_is_moved_there(metering, purse):
    metering.use(purse)
    partitions.make(now=timezone.now(), days=0)
    ((where,),) = sql.rows("SELECT tableoid::regclass::text FROM wallets_usageevent")
    assert where == "wallets_usageevent_20260310"
    metering.use(purse)
    assert UsageEvent.objects.count() == 2


def test_days_are_dropped_after_the_retention_and_totals_stay(metering, purse, settings):
    metering.use(purse, 40)
    partitions.make(now=timezone.now(), days=1)
    settings.USAGE_EVENT_DAYS = 30
    assert partitions.drop(now=timezone.now() + timedelta(days=31)) == 1
    assert "20260310" not in days()
    assert not UsageEvent.objects.exists()
    assert read(purse).unsettled == 10


def test_the_last_week_is_never_dropped(db):
    with pytest.raises(DatabaseError, match="kept for a week"), transaction.atomic():
        sql.run("SELECT wallets_drop_usage_partitions(current_date - 6)")


def test_events_are_append_only(metering, purse):
    metering.use(purse)
    for change in ({"quantity": 2}, None):
        found = UsageEvent.objects.all()
        with pytest.raises(DatabaseError), transaction.atomic():
            found.delete() if change is None else found.update(**change)
    assert UsageEvent.objects.get().quantity == 1


AGGREGATIONS = {"sum": "30", "count": "3", "max": "20", "latest": "4"}


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_minutes_become_hours_and_hours_days(metering, purse, aggregation, settings):
    metering.meter("disk", "1", aggregation=aggregation)
    metering.take(
        metering.event(purse, 20, meter="disk", ago=600), metering.event(purse, 6, meter="disk", ago=60),
        metering.event(purse, 4, meter="disk", ago=0),
    )  # fmt: skip
    now = timezone.now()
    before = told_by_days(purse, now)
    for days_later, grain, rows in ((8, 3_600, 2), (91, 86_400, 1)):
        compaction.compact(now=now + timedelta(days=days_later))
        assert set(UsageRollup.objects.values_list("grain", flat=True)) == {grain}
        assert UsageRollup.objects.count() == rows
        assert told_by_days(purse, now) == before
    assert before[0].quantity == Decimal(AGGREGATIONS[aggregation])


def told_by_days(wallet, until):
    return series.series(EVERYBODY, wallet.pk, "day", meter=None, since=None, until=until).points


def test_a_late_event_joins_what_was_merged(metering, purse, settings):
    settings.USAGE_MINUTE_DAYS = 1
    metering.take(metering.event(purse, 4, ago=2 * 86_400))
    compaction.compact(now=timezone.now())
    metering.take(metering.event(purse, 6, ago=2 * 86_400))
    compaction.compact(now=timezone.now())
    (rollup,) = UsageRollup.objects.all()
    assert (rollup.grain, rollup.quantity, rollup.events) == (3_600, 10, 2)


def test_keys_and_quarantine_are_forgotten_in_their_time(metering, purse):
    metering.use(purse)
    metering.use(purse, meter="unknown")
    later = timezone.now() + timedelta(days=399)
    keys.forget(now=later)
    quarantine.forget(now=later)
    assert (UsageEventKey.objects.count(), QuarantinedEvent.objects.count()) == (1, 0)
    keys.forget(now=later + timedelta(days=2))
    assert not UsageEventKey.objects.exists()


def test_the_hourly_task_does_all_of_it(committed):
    tasks.keep_usage()
    assert f"{timezone.now() + timedelta(days=7):%Y%m%d}" in days()
