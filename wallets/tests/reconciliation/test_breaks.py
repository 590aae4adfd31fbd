"""The work list: a break stays the same break from run to run, and ends in one of four ways."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from ledger import verify
from ledger.balances import standings
from users.callers import System
from users.models import AuditEvent
from users.permissions import PermissionDenied
from wallets import chart
from wallets.models import BooksItem, Break, BreakNote, Match, StatementLine
from wallets.opening import InvalidState
from wallets.reconciliation import joining, resolving
from wallets.reconciliation.postings import propose_posting
from wallets.tests.reconciliation.conftest import FINA, NOW, Row, day

BOB = System("bob")
ENDS = [Row(0, 1, "the-first-01"), Row(40, 1, "the-last-01")]
LATER = NOW + timedelta(hours=1)


def begin(desk, ours=(), theirs=()):
    """One run over these; returns the only break."""
    desk.book(*ours, *[(row.day, row.amount, row.reference) for row in ENDS])
    desk.state([*theirs, *ENDS])
    desk.reconcile()
    (found,) = desk.open()
    return found


def resolved(found):
    found.refresh_from_db()
    return found.state, found.resolution


def clearing(desk):
    account = chart.clearing("paystack", "NGN").id
    return standings([account], now=NOW)[account].balance


def test_a_break_tells_its_sides_and_its_age(desk):
    found = begin(desk, [(3, -400, "ref-0001")], [Row(4, -500, "ref-0001")])
    assert (found.kind, found.lines, found.items, found.theirs, found.ours) == ("amount", 1, 1, -500, -400)
    assert (found.first_on, found.opened_at, found.owner) == (day(3), NOW, None)


def test_the_same_break_is_found_again_and_not_made_again(desk):
    found = begin(desk, theirs=[Row(3, -50, description="Bank charge")])
    run = desk.reconcile(now=LATER)
    assert (run.opened, run.resolved, desk.open()) == (0, 0, [found])
    assert Break.objects.get().opened_at == NOW


def test_a_later_posting_of_ours_explains_it(desk):
    found = begin(desk, theirs=[Row(3, -400, "ref-0001")])
    desk.book((3, -400, "ref-0001"))
    run = desk.reconcile(now=LATER)
    assert (run.resolved, resolved(found), found.resolved_at) == (1, ("resolved", "matched"), LATER)


def test_a_later_statement_explains_it(desk):
    found = begin(desk, [(3, -400, "ref-0001")])
    desk.state([Row(4, -400, "ref-0001")])
    desk.reconcile()
    assert (found.kind, resolved(found)) == ("missing_there", ("resolved", "matched"))


def test_it_changes_its_kind_when_more_is_known(desk):
    found = begin(desk, theirs=[Row(3, -400, "ref-0001")])
    desk.book((3, -390, "ref-0001"))
    run = desk.reconcile()
    (same,) = desk.open()
    assert (found.kind, same.pk, same.kind, same.ours, run.opened) == ("missing_here", found.pk, "amount", -390, 0)


def test_those_that_turn_out_to_be_one_are_merged(desk):
    """Eleven of each share a name, which then names nothing; when one pair is explained, the name says something."""
    desk.book(*[(3, 100 + number, "salary-2026") for number in range(11)])
    desk.book(*[(row.day, row.amount, row.reference) for row in ENDS])
    desk.state([*[Row(3, 300 + number, "salary-2026", f"id-{number}") for number in range(11)], *ENDS])
    assert desk.reconcile().opened == 22
    line, item = StatementLine.objects.get(amount=300), BooksItem.objects.get(amount=100)
    joining.match_by_hand(desk.account.pk, lines=[line.pk], items=[item.pk], by=FINA, reason="Asked.", now=NOW)
    run = desk.reconcile()
    (left,) = desk.open()
    merged = Break.objects.filter(resolution="merged")
    assert (left.kind, left.lines, left.items, run.opened, run.resolved) == ("amount", 10, 10, 0, 19)
    assert (merged.count(), {found.merged_into_id for found in merged}) == (19, {left.pk})


def test_somebody_takes_it_and_writes_down_what_they_found_out(desk, sade):
    found = begin(desk, theirs=[Row(3, -50)])
    resolving.assign(found.pk, owner=sade.user, by=FINA, now=NOW)
    resolving.note(found.pk, text="Asked the bank.", by=sade.user, now=NOW)
    found.refresh_from_db()
    assert (found.owner, BreakNote.objects.get().text) == (sade.user, "Asked the bank.")
    assert list(AuditEvent.objects.filter(object_id=found.pk).order_by("pk").values_list("action", flat=True)) == [
        "break.assigned", "break.noted",
    ]  # fmt: skip


def test_notes_are_only_added_to(desk):
    found = begin(desk, theirs=[Row(3, -50)])
    made = resolving.note(found.pk, text="Asked the bank.", by=FINA, now=NOW)
    for deed in (made.delete, lambda: BreakNote.objects.update(text="")):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()


def test_accepting_it_with_a_reason_counts_its_difference_as_accepted(desk):
    found = begin(desk, theirs=[Row(3, -50)])
    resolving.accept(found.pk, actor=FINA, reason="The bank will give it back.", now=NOW)
    run = desk.reconcile()
    assert (resolved(found), found.reason) == (("resolved", "note"), "The bank will give it back.")
    assert (run.breaks, run.accepted, run.open_there) == ({}, 50, 0)
    assert AuditEvent.objects.get(action="break.resolved").data["how"] == "note"


def test_a_note_needs_a_reason(desk):
    found = begin(desk, theirs=[Row(3, -50)])
    with pytest.raises(InvalidState):
        resolving.accept(found.pk, actor=FINA, reason=" ", now=NOW)
    assert (resolved(found), Match.objects.filter(rule="Accepted").exists()) == (("open", ""), False)


PROPOSALS = [
    # theirs, ours, what clearing lacks, and against what
    ([Row(3, -50, description="Charge")], [], -50, "expenses:provider_fees:NGN"),
    ([Row(3, -50, "who-knows-01")], [], -50, "liabilities:suspense:paystack:NGN"),
    ([Row(3, 900)], [], 900, "liabilities:suspense:paystack:NGN"),
    ([], [(3, -400, "ref-0001")], 400, "liabilities:suspense:paystack:NGN"),
    ([Row(3, -410, "ref-0001")], [(3, -400, "ref-0001")], -10, "expenses:provider_fees:NGN"),
    ([Row(3, -400, "ref-0001", status="failed")], [(3, -400, "ref-0001")], 400, "liabilities:suspense:paystack:NGN"),
]  # fmt: skip


@pytest.mark.parametrize(("theirs", "ours", "lacking", "against"), PROPOSALS)
def test_two_people_post_what_it_lacks(desk, theirs, ours, lacking, against):
    found, before = begin(desk, ours, theirs), clearing(desk)
    posting = propose_posting(found)
    lines = {line.id: line.code for line in (chart.provider_fees("NGN"), chart.suspense("paystack", "NGN"))}
    assert [lines[leg.account] for leg in posting.legs if leg.account in lines] == [against]
    resolving.post(found.pk, requested_by=FINA, approved_by=BOB, reason="As the statement says.", now=NOW)
    run = desk.reconcile()
    assert (clearing(desk) - before, resolved(found), run.breaks, run.accepted) == (
        lacking,
        ("resolved", "posting"),
        {},
        0,
    )
    assert (found.requested_by, found.resolved_by, found.reason) == (
        "system:fina", "system:bob", "As the statement says.",
    )  # fmt: skip
    assert (BooksItem.objects.get(transaction=found.transaction_id).effective_on, verify.clean()) == (day(3), True)


def test_one_person_alone_posts_nothing(desk):
    found, before = begin(desk, theirs=[Row(3, -50)]), clearing(desk)
    with pytest.raises(PermissionDenied):
        resolving.post(found.pk, requested_by=FINA, approved_by=FINA, reason="Quick.", now=NOW)
    assert (clearing(desk), resolved(found)) == (before, ("open", ""))
    with transaction.atomic(), pytest.raises(IntegrityError):
        Break.objects.filter(pk=found.pk).update(
            state="resolved", resolution="posting", resolved_at=NOW, resolved_by="a", requested_by="a",
            transaction_id=found.pk,
        )  # fmt: skip


def test_a_posting_of_another_amount_or_of_nothing_doesnt_resolve_it(desk):
    found = begin(desk, theirs=[Row(3, -50)])
    (other,) = desk.book((3, -49, "other"))
    for id in (other, found.pk):
        with pytest.raises(InvalidState), transaction.atomic():
            resolving.resolve_by_posting(
                found.pk, transaction=id, requested_by=FINA, approved_by=BOB, reason="", now=NOW
            )  # fmt: skip
    assert resolved(found) == ("open", "")


def test_what_was_taken_back_meanwhile_lacks_nothing(desk):
    found = begin(desk, theirs=[Row(3, -50, external_id="charge-1")])
    desk.state([Row(3, -50, external_id="charge-1", status="failed")], "later.csv")
    with pytest.raises(InvalidState, match="by now"):
        resolving.post(found.pk, requested_by=FINA, approved_by=BOB, reason="Late.", now=NOW)
    desk.reconcile()
    assert resolved(found) == ("resolved", "matched")


def test_a_break_of_which_a_match_by_hand_leaves_nothing_is_resolved_by_it(desk):
    found = begin(desk, theirs=[Row(3, -50)])
    lines = list(StatementLine.objects.filter(amount=-50).values_list("pk", flat=True))
    joining.match_by_hand(desk.account.pk, lines=lines, items=[], by=FINA, reason="Not ours.", now=NOW)
    assert (resolved(found), found.resolved_by) == (("resolved", "matched"), "system:fina")


def test_a_difference_of_days_is_nothing_to_post(desk):
    found = begin(desk, [(3, -400, "ref-0001")], [Row(20, -400, "ref-0001")])
    with pytest.raises(InvalidState, match="note"):
        propose_posting(found)
    resolving.accept(found.pk, actor=FINA, reason="The bank was closed.", now=NOW)
    assert desk.reconcile().accepted == 0


def test_what_is_resolved_is_over(desk):
    found = begin(desk, theirs=[Row(3, -50)])
    resolving.accept(found.pk, actor=FINA, reason="Known.", now=NOW)
    for deed in (
        lambda: resolving.accept(found.pk, actor=FINA, reason="Again.", now=NOW),
        lambda: resolving.post(found.pk, requested_by=FINA, approved_by=BOB, reason="Again.", now=NOW),
        lambda: resolving.assign(found.pk, owner=None, by=FINA, now=NOW),
    ):
        with pytest.raises(InvalidState):
            deed()


def test_matching_by_hand_joins_whatever_a_person_says(desk):
    begin(desk, [(3, -400, "ref-0001")], [])
    desk.state([Row(5, -150, "a-0001"), Row(6, -250, "b-0001")])
    desk.reconcile()
    lines = StatementLine.objects.filter(amount__lt=-100).values_list("pk", flat=True)
    items = BooksItem.objects.filter(amount=-400).values_list("pk", flat=True)
    wanted = {"lines": list(lines), "items": list(items), "by": FINA, "reason": "Two halves.", "now": NOW}
    made = joining.match_by_hand(desk.account.pk, **wanted)
    assert (made.lines, made.items, made.difference, desk.reconcile().breaks) == (2, 1, 0, {})
    with pytest.raises(InvalidState):
        joining.match_by_hand(desk.account.pk, **wanted)


def test_what_a_person_has_taken_apart_no_rule_joins_again(desk):
    desk.book((3, -400, "ref-0001"), *[(row.day, row.amount, row.reference) for row in ENDS])
    desk.state([Row(3, -400, "ref-0001"), *ENDS])
    desk.reconcile()
    match = Match.objects.get(ours=-400)
    joining.unmatch(match.pk, actor=FINA, reason="Somebody else's.", now=NOW)
    run = desk.reconcile()
    assert (run.matched_lines, desk.kinds()) == (0, [("missing_here", -400, 0), ("missing_there", 0, -400)])
    match.refresh_from_db()
    assert (match.undone_by, match.undone_because) == ("system:fina", "Somebody else's.")
    with pytest.raises(InvalidState):
        joining.unmatch(match.pk, actor=FINA, reason="Again.", now=NOW)


def test_a_break_whose_match_is_undone_is_open_again_and_the_same(desk):
    found = begin(desk, theirs=[Row(3, -50)])
    resolving.accept(found.pk, actor=FINA, reason="Known.", now=NOW)
    joining.unmatch(Match.objects.get(rule="Accepted").pk, actor=FINA, reason="Not known at all.", now=NOW)
    run = desk.reconcile()
    assert (run.opened, resolved(found), Break.objects.count()) == (1, ("open", ""), 1)
    assert "Open again" in BreakNote.objects.get().text
