"""The copy in ClickHouse, by a real engine in this process: the same events, however often they are copied."""

import sys
from datetime import date, timedelta
from itertools import pairwise
from threading import Event as Flag
from threading import Thread
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from ledger import sql
from tests.crash.processes import wait_for
from users.models import User
from wallets import tasks
from wallets.admin.usage import streams
from wallets.clickhouse import feed, reconciling, tables
from wallets.clickhouse.store import ClickHouseStore
from wallets.models import UsageFeed
from wallets.tests.usage.test_feed import slowly
from wallets.usage.stores import PostgresStore


@pytest.fixture
def copy(settings, database):
    """An empty table, and a client of it."""
    settings.CLICKHOUSE_URL = "chdb://memory"
    client = tables.connect()
    yield client
    client.command("DROP TABLE wallet_usage_event")
    client.close()


@pytest.fixture
def used(committed, metering, purse, bobs):
    """Events of two wallets and two meters, over three hours, by several transactions."""
    metering.meter("disk", "1", aggregation="max")
    for number in range(4):
        metering.take(
            metering.event(purse, "1.25", ago=3_000 * number, region="eu"), metering.event(purse, 7, meter="disk"),
            metering.event(bobs, 2),
        )  # fmt: skip
    wait_for("nothing older runs", all_may_be_copied)
    return purse


YOUNG = "SELECT FROM wallets_usageevent WHERE written_by >= pg_snapshot_xmin(pg_current_snapshot())::text::int8"


def all_may_be_copied():
    """Whether no transaction runs, in any database of the server, that began before events were written."""
    return not sql.rows(YOUNG)


def feed_all(client, limit=5):
    total = 0
    while count := feed.feed(client, now=timezone.now(), limit=limit):
        total += count
    return total


def window(step=timedelta(hours=1)):
    now = timezone.now()
    return step, now - timedelta(days=2), now + timedelta(days=1)


def same(client, wallet):
    """How many events both stores tell of, and alike."""
    ours, copied = PostgresStore(), ClickHouseStore(client)
    _, since, until = window()
    events = [list(store.events(wallet.pk, since, until)) for store in (ours, copied)]
    totals = [store.used(wallet.pk, *window()) for store in (ours, copied)]
    assert (events[0], totals[0]) == (events[1], totals[1])
    return len(events[0])


def test_both_stores_answer_alike(copy, used, bobs):
    assert feed_all(copy) == 12
    assert (same(copy, used), same(copy, bobs)) == (8, 4)
    found = list(ClickHouseStore(copy).events(used.pk, *window()[1:]))
    assert all(one.occurred_at <= other.occurred_at for one, other in pairwise(found))
    assert UsageFeed.objects.get().events == 12


def test_a_batch_that_was_sent_and_not_noted_is_sent_again_and_is_there_once(copy, used, monkeypatch):
    def dies(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(feed, "_move", dies)
    with pytest.raises(KeyboardInterrupt):
        feed.feed(copy, now=timezone.now())
    monkeypatch.undo()
    assert UsageFeed.objects.get().events == 0
    assert feed_all(copy) == 12
    assert same(copy, used) == 8
    assert reconciling.differences(copy, now=timezone.now()) == []


def test_the_office_tells_how_far_the_copy_is(copy, used, metering, monkeypatch):
    User.objects.create_superuser("boss@example.com", "a long password")
    browser = Client()
    browser.force_login(User.objects.get(email="boss@example.com"))

    def told():
        found = browser.get(reverse("admin:usage_streams")).context["tables"][1]
        return [(store, strip_tags(copied), strip_tags(waiting)) for store, copied, waiting, *_ in found.rows]

    assert told() == []
    feed.feed(copy, now=timezone.now(), limit=5)
    assert told() == [("clickhouse", "5", "7")]
    monkeypatch.setattr(streams, "MOST", 5)
    assert told()[0][2].strip() == "more than 5"
    feed_all(copy)
    metering.use(used)
    assert told() == [("clickhouse", "12", "1")]


def test_what_comes_later_is_copied_behind_the_cursor(copy, used, metering):
    assert (feed_all(copy), feed_all(copy)) == (12, 0)
    metering.use(used)
    wait_for("nothing older runs", all_may_be_copied)
    assert (feed_all(copy), same(copy, used)) == (1, 9)


def test_a_transaction_that_commits_late_isnt_left_out(copy, used, bobs, metering):
    """The copy stops below it, and goes on with it: by "greater than the last" it would be passed over for good."""
    feed_all(copy)
    written, may_commit = Flag(), Flag()
    slow = Thread(target=slowly, args=([metering.event(used, id="late")], written, may_commit))
    slow.start()
    assert written.wait(10)
    metering.use(bobs, id="quick")
    assert feed_all(copy) == 0
    may_commit.set()
    slow.join()
    wait_for("nothing older runs", all_may_be_copied)
    assert (feed_all(copy), same(copy, used), same(copy, bobs)) == (2, 9, 5)


def lose(client, wallet):
    client.command("DELETE FROM wallet_usage_event WHERE quantity = 7")


def alter(client, wallet):
    events = list(ClickHouseStore(client).events(wallet.pk, *window()[1:]))
    feed.send(client, [event._replace(quantity=event.quantity + 1) for event in events])


def invent(client, wallet):
    event = next(ClickHouseStore(client).events(wallet.pk, *window()[1:]))
    feed.send(client, [event._replace(key=uuid4())])


@pytest.mark.parametrize("harm", [lose, alter, invent])
def test_a_day_that_differs_is_told_and_made_anew(copy, used, harm):
    feed_all(copy)
    harm(copy, used)
    (found,) = reconciling.differences(copy, now=timezone.now())
    assert (str(found.day), found.ours.events) == ("2026-03-10", 12)
    assert reconciling.repair(copy, [found], now=timezone.now()) == 12
    assert reconciling.differences(copy, now=timezone.now()) == []
    assert same(copy, used) == 8


def test_the_command_copies_compares_and_mends(copy, used, capsys):
    call_command("feed_clickhouse")
    assert "12 events were copied." in capsys.readouterr().out
    call_command("feed_clickhouse", check=True)
    copy.command("DELETE FROM wallet_usage_event WHERE quantity = 7")
    for wish, code in (({"check": True}, 1), ({"repair": True}, 1)):
        with pytest.raises(SystemExit, match=str(code)):
            call_command("feed_clickhouse", **wish)
    assert "12 events of" in capsys.readouterr().out
    call_command("feed_clickhouse", check=True, quiet=True)


def test_workers_feed_and_mend_the_copy(copy, used):
    tasks.feed_clickhouse()
    assert same(copy, used) == 8
    copy.command("DELETE FROM wallet_usage_event WHERE quantity = 7")
    tasks.reconcile_clickhouse()
    assert same(copy, used) == 8


@pytest.mark.parametrize(("url", "tells"), [("", "CLICKHOUSE_URL"), ("chdb://memory", "requirements-clickhouse.txt")])
def test_what_isnt_set_up_is_told_with_what_to_do(settings, monkeypatch, url, tells):
    settings.CLICKHOUSE_URL = url
    monkeypatch.setitem(sys.modules, "clickhouse_connect", None)
    with pytest.raises(CommandError, match=tells):
        call_command("feed_clickhouse")


@pytest.mark.parametrize("by", [None, "day"])
def test_what_is_exported_is_the_same_from_both(copy, used, capsys, settings, by):
    feed_all(copy)
    days = {"since": date(2026, 3, 10), "until": date(2026, 3, 10)}
    told = []
    for url in ("", "chdb://memory"):
        settings.CLICKHOUSE_URL = url
        call_command("export_usage", used.pk, by=by, **days)
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    assert len(told[0].splitlines()) == (2 if by else 8)
