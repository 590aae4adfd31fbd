"""The product's own payments: by which names a statement may tell of them, and what their states mean for it."""

import pytest

from wallets import chart
from wallets.models import BooksItem, ColumnMapping, TopUp
from wallets.tests.payouts import START as THEN
from wallets.tests.reconciliation.conftest import COLUMNS, START, Desk, Row
from wallets.tests.scripted import NOT_FOUND, answer, said
from wallets.tests.test_topups import worker  # noqa: F401
from wallets.withdrawals import review

DAY = (THEN.date() - START).days
ENDS = [Row(DAY, 1, "the-first-01"), Row(DAY + 30, 1, "the-last-01")]


@pytest.fixture
def desk(database):
    ColumnMapping.objects.create(name="full", columns={name: name for name in COLUMNS})
    return Desk(provider="scripted")


def reconciled(desk, *rows, until=30):
    """The open breaks after a run over these lines, without those of the ends."""
    desk.state([*rows, *[row for row in ENDS if row.day <= DAY + until]])
    desk.reconcile()
    return [found for found in desk.kinds() if found[1] != 1]


def test_a_payout_goes_by_its_attempts_reference(office, desk):
    office.ask()
    office.run("completed")
    assert reconciled(desk, Row(DAY, -400, office.attempt.reference)) == []
    assert BooksItem.objects.get().match.rule == "Reference and amount"


def test_or_by_the_banks_own_id(office, desk):
    office.bank.answers.append(answer("accepted", provider_id="TRF_x0001"))
    office.ask()
    office.run("completed")
    assert reconciled(desk, Row(DAY, -400, "", "TRF_x0001")) == []


def test_one_that_was_retried_goes_by_the_attempt_that_was_paid(office, desk):
    office.bank.states.append(said("failed"))
    office.ask()
    failed = office.run("failed")
    first = office.attempt.reference
    office.bank.states.clear()
    review.retry(failed.pk, actor=office.alice.user, reason="A slip.", now=office.now)
    office.run("completed")
    lines = [Row(DAY, -400, first, status="failed"), Row(DAY, -400, office.attempt.reference)]
    assert reconciled(desk, *lines) == []


def test_an_attempt_that_was_refused_and_is_paid_there_is_a_break_of_status(office, desk):
    office.bank.states.append(said("failed"))
    office.ask()
    failed = office.run("failed")
    first = office.attempt.reference
    office.bank.states.clear()
    review.retry(failed.pk, actor=office.alice.user, reason="A slip.", now=office.now)
    office.run("completed")
    lines = [Row(DAY, -400, first), Row(DAY, -400, office.attempt.reference)]
    assert reconciled(desk, *lines) == [("status", -400, 0)]


def test_one_that_came_back_is_two_and_matches_twice(office, desk):
    office.bank.states.append(said("succeeded"))
    office.ask()
    office.run("completed")
    office.bank.states[0] = said("reversed")
    office.run("returned", hours=100)
    reference, back = office.attempt.reference, (office.now - THEN).days
    lines = [Row(DAY, -400, reference, "a"), Row(DAY + back, 400, reference, "b")]
    assert reconciled(desk, *lines) == []
    assert BooksItem.objects.filter(match__isnull=False).count() == 2


def test_one_that_failed_here_and_is_paid_there_is_a_break_of_status(office, desk):
    office.bank.answers.append(answer("rejected"))
    office.bank.states.append(NOT_FOUND)
    office.ask()
    office.run("failed")
    assert reconciled(desk, Row(DAY, -400, office.attempt.reference)) == [("status", -400, 0)]


def test_one_that_is_paid_here_and_failed_there_is_one_too_by_whichever_of_its_names(office, desk):
    office.bank.answers.append(answer("accepted", provider_id="TRF_x0001"))
    office.ask()
    office.run("completed")
    line = Row(DAY, -400, office.attempt.reference, "TRF_x0001", status="failed")
    assert reconciled(desk, line) == [("status", 0, -400)]


def test_one_that_is_still_under_way_here_is_none_until_it_should_have_been_booked(office, desk):
    office.bank.states.append(said("pending"))
    office.ask()
    office.later()
    line = Row(DAY, -400, office.attempt.reference)
    assert reconciled(desk, line, until=0) == []
    assert reconciled(desk, Row(DAY + 1, 1, "another-01")) == [("status", -400, 0)]


def test_a_payment_into_a_wallet_goes_by_its_top_ups_reference(worker, desk, alice):  # noqa: F811
    desk.provider = "sandbox"
    purse = alice.open()
    made = alice.http.post(f"wallets/{purse.id}/top-ups", {"amount": 5_000}).body
    worker.pay(made["reference"])
    worker.later()
    top_up = TopUp.objects.get()
    assert top_up.status == "completed"
    assert reconciled(desk, Row(DAY, net(top_up), made["reference"])) == []
    item = BooksItem.objects.get()
    assert made["reference"] in item.names and top_up.payment_id.lower() in item.names


def net(top_up):
    """What arrived at the provider of a top-up."""
    clearing = chart.clearing(top_up.provider, top_up.currency).id
    return top_up.transaction.entries.get(account_id=clearing).amount


def test_one_that_expired_here_and_was_paid_there_is_a_break_of_status(worker, desk, alice):  # noqa: F811
    desk.provider = "sandbox"
    purse = alice.open()
    made = alice.http.post(f"wallets/{purse.id}/top-ups", {"amount": 5_000}).body
    TopUp.objects.update(status="expired", next_at=None)
    assert reconciled(desk, Row(DAY, 4_900, made["reference"])) == [("status", 4_900, 0)]
