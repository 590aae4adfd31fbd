"""Closed days: when they may be, what is refused afterwards, and that nobody slips in while one is being closed."""

import dataclasses
from datetime import date, timedelta
from threading import Event, Thread

import pytest
from django.db import IntegrityError, connection, transaction
from msgspec.structs import replace

from ledger import closing, posting, sql, verify
from ledger.closing import NotOver, PeriodClosed, StillWriting
from ledger.posting import post, post_durably, post_one
from ledger.requests import MalformedPosting
from ledger.tests.conftest import NOW, transfer

TODAY, TOMORROW = NOW.date(), NOW + closing.DAY
QUARTER = timedelta(minutes=15)
TABLES = ("ledger_transaction", "ledger_entry")


def close(through=TODAY, now=TOMORROW):
    return closing.close(through, by="test", grace=QUARTER, now=now)


@pytest.mark.parametrize(
    ("at", "last"),
    [
        ("2026-01-21 00:00", "2026-01-19"),
        ("2026-01-21 00:14:59", "2026-01-19"),
        ("2026-01-21 00:15", "2026-01-20"),
        ("2026-01-21 23:59", "2026-01-20"),
        ("2026-03-01 00:10", "2026-02-27"),
    ],
)
def test_a_day_may_be_closed_when_its_requests_have_had_time_to_be_done(at, last):
    moment = NOW.fromisoformat(f"{at}+00:00")
    assert closing.last_closable_day(moment, QUARTER) == date.fromisoformat(last)


def test_a_day_that_goes_on_cant_be_closed(books):
    with pytest.raises(NotOver, match="from 2026-01-21 00:15 UTC on"):
        close(now=NOW)
    assert closing.first_open_day() is None


def test_days_are_closed_once_and_in_order(books):
    assert [close(), close(), close(through=TODAY - closing.DAY)] == [True, False, False]
    assert closing.first_open_day() == TOMORROW.date()


@pytest.mark.parametrize("dated", ["posted then", "dated back"])
@pytest.mark.parametrize("door", [post_one, post_durably])
def test_nothing_is_posted_on_a_closed_day(books, dated, door):
    books.fund(books.alice, 100)
    close()
    late = transfer(books.alice, books.bob, 10, "t:late")
    now = NOW if dated == "posted then" else TOMORROW
    late = late if dated == "posted then" else replace(late, effective_at=NOW)
    with pytest.raises(PeriodClosed, match="closed before 2026-01-21") as refused, transaction.atomic():
        door(late, now=now)
    assert refused.value.data == {"first_open_day": "2026-01-21"}
    assert books.available(books.alice) == 100
    assert verify.clean()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("wrong", [0, 8])
def test_one_of_many_on_a_closed_day_stops_them_all(books, monkeypatch, wrong, whole):
    monkeypatch.setattr(posting, "FIRST", 2)
    monkeypatch.setattr(posting, "PART", 3)
    books.fund(books.alice, 100)
    close()
    batch = [transfer(books.alice, books.bob, 1, f"t:{number}") for number in range(9)]
    batch[wrong] = replace(batch[wrong], effective_at=NOW)
    with pytest.raises(PeriodClosed, match="closed before 2026-01-21"), transaction.atomic():
        post(batch, now=TOMORROW, whole=whole)
    assert (books.available(books.alice), books.available(books.bob)) == (100, 0)
    assert verify.clean()


def test_an_open_day_takes_what_is_dated_back_to_it(books):
    books.fund(books.alice, 100)
    close()
    dated = replace(transfer(books.alice, books.bob, 10, "t:dated"), effective_at=closing.midnight(TOMORROW.date()))
    post_one(dated, now=TOMORROW)
    assert books.available(books.bob) == 10


def test_nothing_takes_effect_before_its_time(books):
    books.fund(books.alice, 100)
    early = replace(transfer(books.alice, books.bob, 10, "t:early"), effective_at=TOMORROW)
    with pytest.raises(MalformedPosting, match="post it then"):
        post_one(early, now=NOW)
    assert books.available(books.bob) == 0


def test_an_older_snapshot_posts_nothing(committed_books):
    with transaction.atomic():
        sql.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(IntegrityError, match="post at READ COMMITTED"), transaction.atomic():
            committed_books.fund(committed_books.alice, 100)
    assert committed_books.available(committed_books.alice) == 0


class Slow(Thread):
    """Somebody who posts, and takes their time to commit it."""

    def __init__(self, books) -> None:
        super().__init__()
        self.books, self.posted, self.may_commit = books, Event(), Event()

    def run(self):
        with transaction.atomic():
            self.books.fund(self.books.alice, 100)
            self.posted.set()
            self.may_commit.wait(10)
        connection.close()


def test_who_was_writing_when_the_day_was_closed_is_waited_for(committed_books):
    slow = Slow(committed_books)
    slow.start()
    assert slow.posted.wait(10)
    close()
    with pytest.raises(StillWriting):
        closing.wait_for_writers(TABLES, seconds=0)
    slow.may_commit.set()
    closing.wait_for_writers(TABLES, seconds=10)
    assert committed_books.available(committed_books.alice) == 100
    slow.join()


def test_who_begins_to_write_later_isnt_waited_for(committed_books, monkeypatch):
    slow = Slow(committed_books)
    looks = []

    def begin_after_the_first_look(seconds):
        looks.append(seconds)
        first.may_commit.set()
        first.join()
        slow.start()
        assert slow.posted.wait(10)

    first = Slow(committed_books)
    first.books = dataclasses.replace(committed_books, alice=committed_books.bob)
    first.start()
    assert first.posted.wait(10)
    monkeypatch.setattr(closing.time, "sleep", begin_after_the_first_look)
    closing.wait_for_writers(TABLES, seconds=10)
    assert len(looks) == 1
    slow.may_commit.set()
    slow.join()
