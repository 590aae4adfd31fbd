"""What each rule matches, and what it leaves alone."""

import pytest

from users.models import AuditEvent
from wallets.models import Match, MatchRule
from wallets.tests.reconciliation.conftest import NOW, Row

# The days of the statement: what is before the first is none of its business, what is near the last may yet come.
ENDS = [Row(0, 1, "the-first-01"), Row(40, 1, "the-last-01")]
# Ours as (day, amount, name), theirs as rows; the rules that match them; the breaks that are left, as (theirs, ours).
CASES = {
    "a reference and an amount": ([(1, -400, "ref-0001")], [Row(3, -400, "REF-0001")], ["Reference and amount"], []),
    "their own id": ([(1, -400, "trf_abc9")], [Row(1, -400, "", "TRF_abc9")], ["Reference and amount"], []),
    "a name in the text": (
        [(1, -400, "pay-000123-x")], [Row(1, -400, description="NIP PAY-000123-X/Chidi")], ["Reference and amount"], [],
    ),
    "a short word in the text is no name": (
        [(1, -400, "chidi")], [Row(9, -400, description="To chidi")], [],
        [("missing_here", -400, 0), ("missing_there", 0, -400)],
    ),
    "as many as look the same": (
        [(1, -400, "ref-0001"), (2, -400, "ref-0001")], [Row(2, -400, "ref-0001"), Row(1, -400, "ref-0001", "b")],
        ["Reference and amount"] * 2, [],
    ),
    "one too many there": (
        [(2, -400, "ref-0001")], [Row(1, -400, "ref-0001", "a"), Row(2, -400, "ref-0001", "b")],
        ["Reference and amount"], [("duplicate", -400, 0)],
    ),
    "one too many here": (
        [(1, -400, "ref-0001"), (2, -400, "ref-0001")], [Row(1, -400, "ref-0001")], ["Reference and amount"],
        [("duplicate", 0, -400)],
    ),
    "the stated fee": (
        [(1, -400, "ref-0001")], [Row(1, -410, "ref-0001", fee=10)], ["Reference, less the stated fee"], [],
    ),
    "another fee than stated": (
        [(1, -400, "ref-0001")], [Row(1, -411, "ref-0001", fee=10)], [], [("amount", -411, -400)],
    ),
    "a payment and its cost here, one line there": (
        [(1, -400, "ref-0001"), (1, -10, "ref-0001")], [Row(1, -410, "ref-0001")], ["Shared reference, sums agree"], [],
    ),
    "settled at once": (
        [(1, 100, "batch-01"), (2, 250, "batch-01")], [Row(3, 350, batch="batch-01")],
        ["Shared reference, sums agree"], [],
    ),
    "settled at once, less a fee": (
        [(1, 100, "batch-01"), (2, 250, "batch-01")], [Row(3, 340, batch="batch-01", fee=10)],
        ["Shared reference, less the stated fees"], [],
    ),
    "paid in parts": (
        [(1, 350, "ref-0001")], [Row(1, 100, "ref-0001"), Row(2, 250, "ref-0001")],
        ["Shared reference, sums agree"], [],
    ),
    "several for several": (
        [(1, 100, "ref-0001"), (1, 250, "ref-0001")], [Row(1, 200, "ref-0001"), Row(2, 150, "ref-0001")],
        ["Shared reference, sums agree"], [],
    ),
    "settled short": (
        [(1, 100, "batch-01"), (2, 250, "batch-01")], [Row(3, 300, batch="batch-01")], [], [("amount", 300, 350)],
    ),
    "days apart": ([(1, -400, "ref-0001")], [Row(8, -400, "ref-0001")], [], [("date", -400, -400)]),
    "no name, a day apart": ([(1, 123)], [Row(2, 123)], ["Amount and day"], []),
    "no name, a week apart": (
        [(1, 123)], [Row(8, 123)], [], [("missing_here", 123, 0), ("missing_there", 0, 123)],
    ),
    "no name, as many of each": ([(1, 123), (1, 123)], [Row(1, 123), Row(1, 123)], ["Amount and day"] * 2, []),
    "no name, and one more of ours: never guessed": (
        [(1, 123), (1, 123)], [Row(2, 123)], [],
        [("missing_here", 123, 0), ("missing_there", 0, 123), ("missing_there", 0, 123)],
    ),
    "another name is no match, whatever the amount": (
        [(1, 123, "ref-0001")], [Row(1, 123, "ref-0009")], [],
        [("missing_here", 123, 0), ("missing_there", 0, 123)],
    ),
    "failed there, nothing here": ([], [Row(1, -400, "ref-0001", status="failed")], [], []),
    "failed there, paid here": (
        [(1, -400, "ref-0001")], [Row(1, -400, "ref-0001", status="failed")], [], [("status", 0, -400)],
    ),
    "taken and given back, and we never heard": (
        [], [Row(1, -400, "ref-0001", "a"), Row(2, 400, "ref-0001", "b")], ["Sent and sent back"], [],
    ),
    "given back there, and not here": (
        [(1, -400, "ref-0001")], [Row(1, -400, "ref-0001", "a"), Row(2, 400, "ref-0001", "b")],
        ["Reference and amount"], [("missing_here", 400, 0)],
    ),
    "ours is recent, and may yet be told": ([(39, -400, "ref-0001")], [], [], []),
}  # fmt: skip


def ends():
    return [(row.day, row.amount, row.reference) for row in ENDS]


@pytest.mark.parametrize("case", CASES)
def test_what_matches_and_what_is_left(desk, case):
    ours, theirs, rules, breaks = CASES[case]
    desk.book(*ours, *ends())
    desk.state([*theirs, *ENDS])
    desk.reconcile()
    made = Match.objects.exclude(ours=1).order_by("rule", "pk").values_list("rule", flat=True)
    assert (list(made), desk.kinds()) == (rules, breaks)


def test_a_late_return_is_two_matches(desk):
    (paid,) = desk.book((1, -400, "ref-0001"))
    desk.book((9, 400, "", paid), *ends())
    desk.state([Row(1, -400, "ref-0001", "a"), Row(9, 400, "ref-0001", "b"), *ENDS])
    assert (desk.reconcile().matched_items, Match.objects.count(), desk.kinds()) == (4, 4, [])


def test_what_was_undone_here_and_shown_by_nobody_explains_itself(desk):
    (paid,) = desk.book((1, -400, "ref-0001"))
    desk.book((2, 400, "", paid), *ends())
    desk.state(ENDS)
    desk.reconcile()
    match = Match.objects.get(rule="Sent and sent back")
    assert (match.items, match.lines, match.difference, desk.kinds()) == (2, 0, 0, [])


def test_a_rule_may_tolerate_a_difference_which_stays_on_the_books(desk):
    MatchRule.objects.filter(position=30).update(tolerance=5, basis_points=100)
    desk.book((1, -40_000, "ref-0001"), (1, -40_000, "ref-0002"))
    desk.state([Row(1, -40_405, "ref-0001"), Row(1, -40_406, "ref-0002")], opening=0, closing=-80_811)
    run = desk.reconcile()
    assert (run.matched_lines, desk.kinds()) == (1, [("amount", -40_406, -40_000)])
    assert (run.accepted, run.open_here, run.open_there, run.unexplained) == (405, -40_000, -40_406, 0)


def test_a_rule_may_be_for_another_provider_or_switched_off(desk):
    MatchRule.objects.filter(position=10).update(provider="fincra")
    MatchRule.objects.filter(position__gt=10).update(active=False)
    desk.book((1, -400, "ref-0001"))
    desk.state([Row(1, -400, "ref-0001")])
    assert (desk.reconcile().matched_lines, desk.kinds()) == (0, [("date", -400, -400)])


def test_a_name_that_many_share_names_nothing(desk):
    desk.book(*[(1, 100 + number, "salaries-2026") for number in range(12)], *ends())
    desk.state([*[Row(1, 300 + number, "salaries-2026", f"id-{number}") for number in range(12)], *ENDS])
    desk.reconcile()
    assert [kind for kind, _, _ in desk.kinds()] == ["missing_here"] * 12 + ["missing_there"] * 12


def test_many_that_look_the_same_are_paired_without_trying_each_with_each(desk):
    desk.book(*[(number % 5, 100, "salaries-2026") for number in range(1_000)])
    desk.state([Row(number % 5, 100, "salaries-2026", f"id-{number}") for number in range(1_000)])
    assert (desk.reconcile().matched_lines, desk.kinds()) == (1_000, [])


def test_a_second_run_finds_only_what_is_new(desk):
    desk.book((1, -400, "ref-0001"))
    desk.state([Row(1, -400, "ref-0001")])
    desk.reconcile()
    desk.book((2, 900, "ref-0002"))
    desk.state([Row(2, 900, "ref-0002")])
    run = desk.reconcile()
    assert (run.lines, run.items, run.matched_lines, Match.objects.count()) == (1, 1, 1, 2)


def test_a_run_is_in_the_trail(desk):
    desk.state(ENDS)
    run = desk.reconcile()
    deed = AuditEvent.objects.get(action="account.reconciled")
    assert (deed.object_id, deed.data["account"], deed.at) == (str(run.pk), "paystack:NGN", NOW)
