"""Breaks in the back office: what their pages show, and what people do there. What is refused changes nothing."""

import re

import pytest
import time_machine

from users.models import AuditEvent
from wallets.models import BreakNote, Match, Proposal
from wallets.proposals.decide import digest
from wallets.reconciliation import resolving
from wallets.tests.reconciliation.conftest import NOW, Row
from wallets.tests.reconciliation.pages import Browser, said
from wallets.tests.reconciliation.test_breaks import begin, clearing, resolved
from wallets.tests.test_proposals import staff

BUTTONS = {"take", "assign", "note", "match", "post", "accept"}
OPEN, ENDED = ("open", ""), ("resolved", "note")


@pytest.fixture(autouse=True)
def june():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ada(desk):
    return Browser(staff("ada", "accountant"))


@pytest.fixture
def ben(desk):
    return Browser(staff("ben", "approver"))


@pytest.fixture
def short(desk):
    """A break: they paid a naira less than we booked."""
    return begin(desk, [(3, 500, "ref-0001")], [Row(4, 400, "ref-0001")])


@pytest.fixture
def late(desk):
    """A break: the same payment, twenty days apart."""
    return begin(desk, [(3, 500, "ref-0001")], [Row(23, 500, "ref-0001")])


def buttons(browser, found):
    shown = browser.page(found)
    return {name for name in BUTTONS if f"{found.pk}/{name}/" in shown}


def tick(found):
    """All that the break is about."""
    return {
        "lines": [str(line.pk) for line in found.told.all()], "items": [str(item.pk) for item in found.ours_of.all()],
    }  # fmt: skip


def hand(browser, found, **data):
    return browser.client.post(f"/admin/wallets/break/{found.pk}/match/", data, follow=True)


# --- What is shown -------------------------------------------------------------------------------------------------


def test_its_page_has_both_sides_and_marks_where_they_differ(ada, short):
    page = ada.page(short)
    marked = [re.sub("<[^>]+>", "", mark) for mark in re.findall(r'class="office-mark">(.*?)</mark>', page)]
    assert [" ".join(mark.split()) for mark in marked] == ["5 Mar 2026", "NGN 4.00", "4 Mar 2026", "NGN 5.00"]
    assert all(words in page for words in ("The amounts differ", "NGN 1.00", "89 days", "Found by a reconciliation"))


def test_the_list_begins_with_the_oldest_and_is_searched_by_reference(ada, desk, short):
    assert all(words in ada.list("break") for words in ("ref-0001", "NGN 1.00", "89 days"))
    assert str(short.pk) in ada.list("break", q="ref-0001")
    assert str(short.pk) not in ada.list("break", q="ref-0002")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, True), ({"state": "resolved"}, False), ({"kind__exact": "amount"}, True), ({"kind__exact": "date"}, False),
        ({"owner": "mine"}, False), ({"owner": "nobody"}, True), ({"age": "30"}, True), ({"age": "90"}, False),
    ],
)  # fmt: skip
def test_the_list_is_narrowed(ada, short, query, shown):
    assert (str(short.pk) in ada.list("break", **query)) is shown


def test_an_account_tells_why_the_balances_differ(ada, desk, short):
    page = ada.page(desk.account)
    assert all(words in page for words in ("In our books, not on their statement", "The amounts differ", "NGN 1.00"))
    assert "Something is open" in ada.list("reconciledaccount")
    resolving.accept(short.pk, actor=ada.user, reason="Rounded.", now=NOW)
    assert "Something is open" not in ada.list("reconciledaccount")


# --- Whose it is ---------------------------------------------------------------------------------------------------


def test_it_is_taken_assigned_and_given_back(ada, short):
    ada.press(short, "take")
    short.refresh_from_db()
    assert (short.owner, "take" in buttons(ada, short)) == (ada.user, False)
    obi = staff("obi", "operator")
    ada.press(short, "assign", owner=str(obi.pk))
    short.refresh_from_db()
    assert short.owner == obi
    ada.press(short, "assign", owner="")
    short.refresh_from_db()
    assert short.owner is None
    assert all(words in ada.page(short) for words in ("Assigned to", "Given back to the list"))


def test_it_is_assigned_only_to_those_who_reconcile(ada, ben, short):
    assert "Select a valid choice" in said(ada.press(short, "assign", owner=str(ben.user.pk)))
    short.refresh_from_db()
    assert short.owner is None


def test_a_note_is_written_down_with_its_author(ada, short):
    ada.press(short, "note", text="They have been asked.")
    assert BreakNote.objects.get().author == f"staff:{ada.user.pk}"
    assert all(words in ada.page(short) for words in ("They have been asked.", ">ada@example.com</a>"))


# --- Matching by hand ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("looked_for", "shown"), [("", 4), ("other", 4), ("some other", 3), ("9.00", 3), ("0.90", 2), ("nowhere", 2)]
)
def test_what_is_open_is_looked_through_and_what_it_is_about_is_ticked(ada, desk, late, looked_for, shown):
    desk.book((5, 900, "another"))
    desk.state([Row(6, 700, description="Quite some other")])
    desk.reconcile()
    page = ada.read(f"/admin/wallets/break/{late.pk}/match/?q={looked_for}")
    ticks = re.findall(r'<input type="checkbox" name="(?:lines|items)"[^>]*>', page)
    assert (len(ticks), sum("checked" in found for found in ticks)) == (shown, 2)


def test_what_is_ticked_is_matched_and_resolves_it(ada, late):
    page = said(hand(ada, late, **tick(late), reason="A holiday."))
    made = Match.objects.get(rule="By hand")
    assert (made.made_because, made.lines, made.items, resolved(late)) == ("A holiday.", 1, 1, ("resolved", "matched"))
    assert "Matched." in page and "Take apart" in page


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"reason": "Because."}, "Tick what belongs together."),
        ({"lines": ["01990000-0000-7000-8000-000000000000"], "reason": "Because."}, "isn’t open any more"),
    ],
)
def test_what_is_ticked_wrongly_is_told_and_nothing_is_matched(ada, late, data, told):
    before = Match.objects.count()
    assert told in said(hand(ada, late, **data))
    assert "This field is required." in said(hand(ada, late, **tick(late), reason=""))
    assert (Match.objects.count(), resolved(late)) == (before, OPEN)


def test_a_match_is_taken_apart_and_the_next_run_lists_it_again(ada, desk, late):
    hand(ada, late, **tick(late), reason="A holiday.")
    made = Match.objects.get(rule="By hand")
    ada.press(made, "unmatch", reason="It was another.")
    assert "the next run lists it again" in ada.page(late)
    assert all(words in ada.page(made) for words in ("Taken apart by", "It was another."))
    assert "unmatch/" not in ada.page(made)
    desk.reconcile()
    assert resolved(late) == OPEN


def test_a_match_is_taken_apart_once(ada, late):
    hand(ada, late, **tick(late), reason="A holiday.")
    made = Match.objects.get(rule="By hand")
    ada.press(made, "unmatch", reason="First.")
    assert "was undone before" in ada.read(ada.press(made, "unmatch", reason="Second.")["HX-Redirect"])
    made.refresh_from_db()
    assert made.undone_because == "First."


# --- How it ends ---------------------------------------------------------------------------------------------------


def test_it_is_accepted_with_a_reason(ada, desk, short):
    before = clearing(desk)
    assert "This field is required." in said(ada.press(short, "accept", reason=""))
    assert resolved(short) == OPEN
    ada.press(short, "accept", reason="Rounded by them.")
    assert (resolved(short), clearing(desk)) == (("resolved", "note"), before)
    assert all(words in ada.page(short) for words in ("How it ended", "Rounded by them."))
    assert buttons(ada, short) == {"note"}


def test_what_it_lacks_is_asked_for_by_one_and_posted_by_another(ada, ben, desk, short):
    before = clearing(desk)
    asked = ada.press(short, "post", against="provider_fees", on="2026-03-05", reason="Their fee.")
    proposal = Proposal.objects.get()
    assert str(proposal.pk) in asked["HX-Redirect"] and "expenses:provider_fees:NGN" in ben.page(proposal)
    assert (resolved(short), clearing(desk), "post" in buttons(ada, short)) == (OPEN, before, False)
    seen = {"seen": digest(proposal), "reason": "Seen."}
    ada.press(proposal, "approve", **seen)
    assert (resolved(short), clearing(desk)) == (OPEN, before)
    ben.press(proposal, "approve", **seen)
    assert (resolved(short), clearing(desk)) == (("resolved", "posting"), before - 100)
    assert all(words in ada.page(short) for words in ("Asked for: Take NGN 1.00", "Resolved by a posting"))


def test_a_posting_that_was_rejected_is_told_and_may_be_asked_for_again(ada, ben, short):
    ada.press(short, "post", against="suspense", on="2026-03-05", reason="Perhaps.")
    ben.press(Proposal.objects.get(), "reject", reason="Ask them first.")
    assert all(words in ada.page(short) for words in ("The posting was rejected", "Ask them first."))
    assert (resolved(short), "post" in buttons(ada, short)) == (OPEN, True)


def test_where_nothing_is_lacking_nothing_is_posted(ada, late):
    assert "post" not in buttons(ada, late)
    page = ada.read(ada.press(late, "post", against="suspense", on="2026-03-05", reason="Quick.")["HX-Redirect"])
    assert "nothing to post" in page
    assert (Proposal.objects.count(), resolved(late)) == (0, OPEN)


def test_a_deed_that_came_too_late_is_told(ada, short):
    resolving.accept(short.pk, actor=ada.user, reason="First.", now=NOW)
    assert "was resolved before" in ada.read(ada.press(short, "accept", reason="Second.")["HX-Redirect"])
    short.refresh_from_db()
    assert short.reason == "First."


# --- Several at once -----------------------------------------------------------------------------------------------


def test_several_are_assigned_and_accepted_at_once(ada, desk):
    desk.state([Row(3, -50, description="Charge", external_id="a"), Row(4, -60, description="Charge", external_id="b")])
    desk.reconcile()
    first, second = desk.open()
    asked = said(ada.choose("break", "accept_selected", [first, second]))
    assert all(words in asked for words in ("Accept 2 breaks", "Charge, paystack:NGN, NGN 0.50 apart"))
    assert resolved(first) == OPEN
    ada.choose("break", "assign_selected", [first, second], decided="yes", owner=str(ada.user.pk))
    resolving.accept(first.pk, actor=ada.user, reason="Before.", now=NOW)
    ada.choose("break", "accept_selected", [first, second], decided="yes", reason="Charges.")
    assert (resolved(first), resolved(second), first.reason, second.reason) == (ENDED, ENDED, "Before.", "Charges.")
    assert AuditEvent.objects.filter(action="break.assigned").count() == 2


# --- Who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "may"),
    [("operator", BUTTONS), ("accountant", BUTTONS), ("approver", set()), ("auditor", set()), ("viewer", set())],
)
def test_buttons_are_there_as_the_role_allows(short, role, may):
    assert buttons(Browser(staff("somebody", role)), short) == may


@pytest.mark.parametrize("role", ["approver", "auditor", "viewer", "admin"])
def test_whoever_may_not_changes_nothing(desk, short, role):
    clerk = Browser(staff("clerk", role))
    given = {"reason": "Please.", "text": "Please.", "against": "suspense", "on": "2026-03-05", "owner": ""}
    for name in BUTTONS:
        assert clerk.press(short, name, **given, **tick(short)).status_code == 403, name
    clerk.choose("break", "accept_selected", [short], decided="yes", reason="Please.")
    assert (resolved(short), Match.objects.filter(rule="By hand").count(), Proposal.objects.count()) == (OPEN, 0, 0)
    assert not BreakNote.objects.exists()
