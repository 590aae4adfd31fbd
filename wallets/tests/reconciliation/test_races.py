"""Two at once, and one that is stopped in the middle: nothing is done twice, and nothing by halves."""

import threading

import pytest
from django.db import connection

from wallets.models import BooksItem, Break, Match, Reconciliation, StatementLine
from wallets.opening import InvalidState
from wallets.reconciliation import findings, resolving, run
from wallets.tests.reconciliation.conftest import FINA, NOW, Row
from wallets.tests.reconciliation.test_breaks import BOB, clearing
from wallets.tests.test_once import at_once

ROWS = [Row(number % 20, 100 + number, f"ref-{number:05}") for number in range(60)]


@pytest.fixture
def busy(committed, desk):
    """Sixty payments that both know, and one that only the statement has."""
    desk.book(*[(row.day, row.amount, row.reference) for row in ROWS])
    desk.state([*ROWS, Row(3, -50, description="Bank charge")])
    return desk


def test_two_runs_at_once_match_everything_once(busy):
    at_once(3, lambda _: busy.reconcile())
    assert Reconciliation.objects.count() == 3
    assert sum(found.matched_lines for found in Reconciliation.objects.all()) == 60 == Match.objects.count()
    assert (BooksItem.objects.count(), Break.objects.count()) == (60, 1)


def test_a_run_and_an_import_at_once_wait_for_each_other(busy):
    more = [Row(row.day, row.amount + 500, f"new-{number:05}") for number, row in enumerate(ROWS)]
    busy.book(*[(row.day, row.amount, row.reference) for row in more])

    def work(number):
        return busy.state(more) if number else busy.reconcile()

    at_once(2, work)
    busy.reconcile()
    assert (Match.objects.count(), StatementLine.objects.filter(match=None).count()) == (120, 1)


def test_postings_while_a_run_reads_are_read_now_or_next_time(busy):
    def work(number):
        if number:
            return [busy.book((5, 7 * number, f"more-{number}-{each}")) for each in range(10)]
        return [busy.reconcile() for _ in range(5)]

    at_once(4, work)
    found = busy.reconcile()
    assert BooksItem.objects.count() == 90
    assert busy.account.total == clearing(busy) == found.ledger_balance


def test_a_run_that_is_stopped_leaves_nothing_and_the_next_one_does_it_all(busy, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr(findings, "find", stop)
        run.reconcile(busy.account, by=FINA, now=NOW)
    assert (Match.objects.count(), Reconciliation.objects.count(), Break.objects.count()) == (0, 0, 0)
    assert busy.reconcile().matched_lines == 60


def test_who_waits_for_too_long_is_told_so(busy, monkeypatch):
    entered, leave, find = threading.Event(), threading.Event(), findings.find

    def stay(*what):
        entered.set()
        leave.wait(20)
        find(*what)

    def work(number):
        if number == 0:
            return busy.reconcile()
        entered.wait(20)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 50")
        try:
            with pytest.raises(InvalidState, match="under way"):
                busy.state([Row(4, 5, "late-00001")])
        finally:
            leave.set()

    monkeypatch.setattr(findings, "find", stay)
    at_once(2, work)
    assert not StatementLine.objects.filter(reference="late-00001").exists()


def test_two_who_post_for_one_break_post_once(busy):
    busy.reconcile()
    (found,), before = busy.open(), clearing(busy)

    def work(_):
        try:
            return bool(resolving.post(found.pk, requested_by=FINA, approved_by=BOB, reason="Charge.", now=NOW))
        except InvalidState:
            return False

    assert sum(at_once(3, work)) == 1
    assert clearing(busy) == before - 50
