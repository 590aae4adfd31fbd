"""A break's posting: asked for by one who keeps the books, posted when another one approves."""

from datetime import timedelta

import pytest

from ledger import closing, verify
from ledger.closing import PeriodClosed
from users.permissions import PermissionDenied
from wallets import chart
from wallets.models import BooksItem, Proposal
from wallets.opening import InvalidState
from wallets.proposals import decide
from wallets.proposals.ask import ask
from wallets.proposals.breaks import BreakPosting
from wallets.proposals.journals import JournalLeg
from wallets.reconciliation import resolving
from wallets.reconciliation.postings import open_day
from wallets.tests.reconciliation.conftest import NOW, Row, day
from wallets.tests.reconciliation.test_breaks import begin, clearing, resolved
from wallets.tests.test_proposals import staff

FEES, CLEARING = chart.provider_fees("NGN").code, chart.clearing("paystack", "NGN").code


@pytest.fixture
def ada(database):
    return staff("ada", "accountant")


@pytest.fixture
def ben(database):
    return staff("ben", "approver")


def charge(desk):
    """A break of fifty that the bank took."""
    return begin(desk, theirs=[Row(3, -50, description="Charge")])


def posting(found, amount=-50, **more):
    return BreakPosting(found.pk, amount, more.pop("against", "provider_fees"), more.pop("on", day(3)))


def asked(deed, by):
    return ask(deed, actor=by, reason="The bank's charge.", now=NOW)


def approve(proposal, by):
    decide.approve(proposal.pk, actor=by, seen=decide.digest(proposal), reason="Seen.", now=NOW)


def test_it_is_posted_when_a_second_person_approves_it(desk, ada, ben):
    found, before = charge(desk), clearing(desk)
    proposal = asked(posting(found, on=day(4)), ada)
    assert (clearing(desk), resolved(found)) == (before, ("open", ""))
    approve(proposal, ben)
    assert (clearing(desk) - before, resolved(found)) == (-50, ("resolved", "posting"))
    assert (found.requested_by, found.resolved_by) == (f"staff:{ada.pk}", f"staff:{ben.pk}")
    assert Proposal.objects.get().transaction_id == found.transaction_id
    assert BooksItem.objects.get(transaction=found.transaction_id).effective_on == day(4)
    assert (desk.reconcile().breaks, verify.clean()) == ({}, True)


@pytest.mark.parametrize(("amount", "debit", "credit"), [(-50, FEES, CLEARING), (50, CLEARING, FEES)])
def test_its_legs_take_off_the_clearing_account_or_put_onto_it(desk, amount, debit, credit):
    assert posting(charge(desk), amount).legs() == (JournalLeg(debit, debit=50), JournalLeg(credit, credit=50))


def test_one_person_alone_posts_nothing(desk, ada, ben):
    found, both = charge(desk), staff("cher", "accountant", "approver")
    proposal = asked(posting(found), both)
    with pytest.raises(PermissionDenied):
        approve(proposal, both)
    with pytest.raises(PermissionDenied):
        approve(proposal, ada)
    with pytest.raises(PermissionDenied):
        asked(posting(found), ben)
    assert resolved(found) == ("open", "")


def test_another_amount_than_is_lacking_cant_be_asked_for(desk, ada):
    found = charge(desk)
    for amount in (-49, 50, 0):
        with pytest.raises(InvalidState):
            asked(posting(found, amount), ada)
    resolving.accept(found.pk, actor=ada, reason="Known.", now=NOW)
    with pytest.raises(InvalidState, match="before"):
        asked(posting(found), ada)
    assert not Proposal.objects.exists()


def test_what_lacks_less_by_now_isnt_posted(desk, ada, ben):
    found = begin(desk, theirs=[Row(3, -400, "ref-0001")])
    proposal, before = asked(posting(found, -400, against="suspense"), ada), clearing(desk)
    desk.book((3, -390, "ref-0001"))
    desk.reconcile()
    with pytest.raises(InvalidState, match="anew"):
        approve(proposal, ben)
    proposal.refresh_from_db()
    assert (proposal.status, resolved(found), clearing(desk)) == ("open", ("open", ""), before - 390)


def test_of_a_closed_day_it_is_posted_on_the_first_open_one(desk, ada, ben):
    found, before = charge(desk), clearing(desk)
    closing.close(day(9), by="test", grace=timedelta(), now=NOW)
    with pytest.raises(PeriodClosed):
        asked(posting(found), ada)
    assert (open_day(found), Proposal.objects.count()) == (day(10), 0)
    approve(asked(posting(found, on=open_day(found)), ada), ben)
    assert (clearing(desk) - before, resolved(found)) == (-50, ("resolved", "posting"))
    assert (desk.reconcile().breaks, verify.clean()) == ({}, True)


def test_nothing_is_posted_on_a_day_to_come(desk, ada, ben):
    found, before = charge(desk), clearing(desk)
    proposal = asked(posting(found, on=NOW.date() + timedelta(days=1)), ada)
    with pytest.raises(InvalidState, match="hasn't come"):
        approve(proposal, ben)
    assert (clearing(desk), resolved(found)) == (before, ("open", ""))
