"""What the bank takes for a payout: our expense, posted once, whenever it is told, and never the customer's."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from users.models import AuditEvent
from wallets.models import FeeRule, WithdrawalStep
from wallets.providers.port import PayoutState
from wallets.tests.conftest import standing
from wallets.tests.payouts import BACK, GONE, books_are_clean
from wallets.tests.scripted import SILENCE, said
from wallets.withdrawals import hearsay, review

CLEARING, EXPENSES, FEES = "assets:clearing:scripted:NGN", "expenses:provider_fees:NGN", "income:fees:NGN"
TOOK = said("succeeded", fee=Decimal("0.25"))
SAYS_NOTHING = said("succeeded")


@pytest.fixture(autouse=True)
def the_books_are_clean_in_the_end(database):
    yield
    assert books_are_clean()


def taken():
    """What left the provider's account with us, and how much of it is an expense."""
    return -standing(CLEARING), standing(EXPENSES)


def asked_again(office, state, hours=2):
    """The bank is asked at the next look, and says this."""
    office.bank.states.clear()
    office.bank.states.append(state)
    return office.later(timedelta(hours=hours).total_seconds())


def test_what_the_bank_took_is_posted_with_the_payout(office):
    office.bank.states.append(TOOK)
    office.ask()
    found = office.run("completed")
    assert (taken(), office.money, found.provider_fee) == ((425, 25), GONE, Decimal("0.25"))
    assert "The bank took 0.25 NGN for it." in WithdrawalStep.objects.values_list("what", flat=True)
    assert AuditEvent.objects.filter(action="withdrawal.cost", object_id=str(found.pk)).count() == 1


def test_our_own_fee_is_income_beside_it(office):
    FeeRule.objects.create(currency="NGN", flat=10)
    office.bank.states.append(TOOK)
    office.ask()
    office.run("completed")
    assert (taken(), standing(FEES), office.money) == ((425, 25), 10, (590, 0))


def test_what_is_told_only_later_is_posted_then(office):
    office.bank.states.append(SAYS_NOTHING)
    office.ask()
    office.run("completed")
    assert taken() == (400, 0)
    asked_again(office, TOOK)
    assert (taken(), office.found().provider_fee) == ((425, 25), Decimal("0.25"))


@pytest.mark.parametrize("again", [TOOK, said("succeeded", fee=Decimal("0.30")), SAYS_NOTHING, SILENCE])
def test_it_is_posted_once_whatever_is_said_again(office, again):
    office.bank.states.append(TOOK)
    office.ask()
    office.run("completed")
    for _ in range(3):
        asked_again(office, again)
        hearsay.heard("scripted", office.attempt.reference, now=office.now)
        office.later()
    assert taken() == (425, 25)


@pytest.mark.parametrize(
    "state",
    [
        said("succeeded", fee=Decimal(0)), said("succeeded", fee=Decimal("-0.25")),
        said("succeeded", fee=Decimal("1e15")), said("succeeded", fee=Decimal("0.0000000001")),
    ],
)  # fmt: skip
def test_what_cant_be_so_is_not_posted_and_keeps_nobody_from_being_paid(office, state):
    office.bank.states.append(state)
    office.ask()
    found = office.run("completed")
    assert (taken(), office.money, found.provider_fee) == ((400, 0), GONE, None)


def test_what_is_said_of_another_currency_is_not_posted(office):
    office.bank.states.append(SAYS_NOTHING)
    office.ask()
    office.run("completed")
    asked_again(office, replace(TOOK, currency="USD"))
    assert taken() == (400, 0)


def test_a_payout_that_comes_back_leaves_what_the_bank_took_where_it_is(office):
    FeeRule.objects.create(currency="NGN", flat=10)
    office.bank.states.append(TOOK)
    office.ask()
    office.run("completed")
    asked_again(office, replace(TOOK, status=said("reversed").status))
    assert (office.found().status, office.money) == ("returned", BACK)
    assert (taken(), standing(FEES)) == ((25, 25), 0)


@pytest.mark.parametrize("status", ["pending", "failed", "reversed"])
def test_nothing_is_taken_for_what_the_bank_hasnt_paid(office, status):
    state: PayoutState = replace(TOOK, status=said(status).status)
    office.bank.states.append(state)
    office.ask()
    office.later(20)
    assert (taken(), office.found().provider_fee) == ((0, 0), None)


def test_what_staff_settled_as_paid_is_asked_about_and_its_cost_posted_then(office):
    office.bank.states.append(said("succeeded", 399))
    office.ask()
    found = office.run("in_review")
    review.settle_as_paid(found.pk, actor=office.alice.user, reason="Their records.", now=office.now)
    assert taken() == (400, 0)
    asked_again(office, replace(TOOK, amount=399))
    assert taken() == (425, 25)


def test_half_a_minor_unit_is_posted_with_the_next_half(office):
    for expenses in (0, 1, 1, 2):
        office.bank.states.clear()
        office.bank.states.append(said("succeeded", 100, fee=Decimal("0.005")))
        office.ask(100)
        office.sweep()
        office.sweep(20)
        assert standing(EXPENSES) == expenses
