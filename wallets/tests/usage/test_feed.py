"""Whoever follows the events gets each once, though transactions end in another order than they began."""

import random
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep

from django.db import connection, transaction
from django.utils import timezone

from ledger import sql
from wallets.models import UsageEvent
from wallets.tests.test_once import at_once
from wallets.usage import feed
from wallets.usage.ingestion import take, take_durably


class Follower:
    """Reads on from where it stopped."""

    def __init__(self) -> None:
        self.cursor, self.seen = feed.BEGINNING, []

    def read(self):
        """A few at a time, so that it also stops in the middle of a transaction."""
        while found := feed.following(self.cursor, limit=2):
            self.seen += [each.event.event_id for each in found]
            self.cursor = found[-1].cursor

    def read_all(self, count):
        """Read until so many are seen: whoever writes anywhere on the server, another test say, holds the horizon."""
        end = monotonic() + 30
        while len(self.seen) < count and monotonic() < end:
            self.read()
            sleep(0.01)
        self.read()


def slowly(events, written, may_commit):
    """A transaction that has written its events, and commits when it is told to."""
    with transaction.atomic():
        take(events, now=timezone.now())
        written.set()
        may_commit.wait(10)
    connection.close()


def test_a_transaction_that_commits_late_isnt_left_out(committed, metering, purse, bobs):
    late, quick = metering.event(purse, id="late"), metering.event(bobs, id="quick")
    written, may_commit = Flag(), Flag()
    slow = Thread(target=slowly, args=([late], written, may_commit))
    slow.start()
    assert written.wait(10)
    take_durably([quick], now=timezone.now())
    follower = Follower()
    follower.read()
    assert follower.seen == []
    may_commit.set()
    slow.join()
    follower.read_all(2)
    assert sorted(follower.seen) == ["late", "quick"]


def test_a_follower_that_lags_far_behind_reads_all_in_order(committed, metering, purse, monkeypatch):
    monkeypatch.setattr(feed, "SPAN", 1)
    events = [metering.event(purse) for _ in range(12)]
    for batch in (events[:5], events[5:6], events[6:]):
        take_durably(batch, now=timezone.now())
        # Others write as well, so that the events lie far apart.
        for _ in range(20):
            sql.run("SELECT pg_current_xact_id()")
    follower = Follower()
    follower.read_all(12)
    first, second, third = follower.seen[:5], follower.seen[5:6], follower.seen[6:]
    assert [sorted(names) for names in (first, second, third)] == [
        sorted(event.event_id for event in batch) for batch in (events[:5], events[5:6], events[6:])
    ]


def test_a_follower_among_eight_writers_gets_each_once(committed, metering, purse, bobs):
    batches = [[metering.event(random.choice((purse, bobs))) for _ in range(3)] for _ in range(32)]
    follower = Follower()

    def work(number):
        for batch in batches[number::8] if number < 8 else range(20):
            follower.read() if number == 8 else take_durably(batch, now=timezone.now())

    at_once(9, work)
    follower.read_all(96)
    assert sorted(follower.seen) == sorted(UsageEvent.objects.values_list("event_id", flat=True))
    assert len(follower.seen) == 96
