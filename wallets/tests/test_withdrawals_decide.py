"""What each answer of a bank means, as a table: nothing but the decision, without a database or a clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wallets.tests.scripted import NOT_FOUND, SILENCE, answer, said
from wallets.withdrawals import timing
from wallets.withdrawals.decide import Known, Outcome, Status, on_answer, on_state, rejected
from wallets.withdrawals.timing import Terms

SENT = datetime(2030, 1, 1, tzinfo=UTC)
PAYSTACK, FINCRA, FLUTTERWAVE, SANDBOX = (
    Terms(True, 600.0), Terms(True, 3600.0), Terms(False, float("inf")), Terms(True, 10.0),
)  # fmt: skip
FRESH = Known(400, "NGN", PAYSTACK, started_at=SENT, sent_at=SENT)
TAKEN = replace(FRESH, outcome=Outcome.ACCEPTED, answered_at=SENT)
MISSED = replace(FRESH, misses=2, missed_at=SENT + timedelta(minutes=5), checks=3)
REFUSED = replace(FRESH, outcome=Outcome.REJECTED, detail="no such account")
POOR = replace(REFUSED, outcome=Outcome.UNDERFUNDED)
WAITING = replace(FRESH, outcome=Outcome.ACTION_REQUIRED, action_since=SENT, answered_at=SENT)
PAID = replace(TAKEN, status=Status.COMPLETED, outcome=Outcome.PAID, completed_at=SENT)
FAILED = replace(FRESH, status=Status.FAILED, outcome=Outcome.REFUSED)
CANCELLED = replace(FAILED, status=Status.CANCELLED, outcome=Outcome.NOT_SENT)


@pytest.mark.parametrize(
    ("result", "act", "outcome"),
    [
        (answer("accepted"), "ask", "accepted"), (answer("action_required"), "ask", "action_required"),
        (answer("rejected", detail="no"), "ask", "rejected"), (answer("already_exists"), "ask", "unknown"),
        (answer("unknown"), "ask", "unknown"), (answer("not_sent"), "send", "not_sent"),
        (answer("rejected", misconfigured=True), "send", "not_sent"),
        (answer("rejected", underfunded=True), "ask", "underfunded"),
    ],
)  # fmt: skip
def test_an_answer_to_an_order(result, act, outcome):
    decision = on_answer(FRESH, result, SENT)
    assert (decision.act, decision.outcome) == (act, outcome)
    assert decision.pause > 0


@pytest.mark.parametrize(
    ("known", "state", "minutes", "act", "code"),
    [
        (TAKEN, said("succeeded"), 0, "complete", ""),
        (FRESH, said("succeeded"), 0, "complete", ""),
        (TAKEN, said("succeeded", 399), 0, "review", "mismatch"),
        (TAKEN, said("succeeded", 400, "GHS"), 0, "review", "mismatch"),
        (TAKEN, said("succeeded", None), 0, "review", "mismatch"),
        (TAKEN, said("failed"), 0, "fail", "returned_by_bank"),
        (TAKEN, said("reversed"), 0, "fail", "returned_by_bank"),
        (TAKEN, said("pending"), 60 * 24 * 30, "ask", ""),
        (REFUSED, NOT_FOUND, 0, "fail", "refused_by_bank"),
        (REFUSED, said("failed"), 0, "fail", "refused_by_bank"),
        (REFUSED, said("pending"), 0, "ask", ""),
        (REFUSED, said("succeeded"), 0, "complete", ""),
        (REFUSED, SILENCE, 0, "ask", ""),
        (POOR, NOT_FOUND, 0, "send", ""),
        (POOR, NOT_FOUND, 60 * 24 + 1, "review", "not_sent"),
        (POOR, said("pending"), 0, "ask", ""),
        (POOR, said("succeeded"), 0, "complete", ""),
        (POOR, said("failed"), 0, "fail", "not_paid_by_us"),
        (POOR, SILENCE, 0, "ask", ""),
        (replace(POOR, doubtful=True), NOT_FOUND, 0, "ask", ""),
        (TAKEN, said("failed", underfunded=True), 0, "fail", "not_paid_by_us"),
        (replace(REFUSED, doubtful=True), NOT_FOUND, 0, "ask", ""),
        (replace(REFUSED, doubtful=True), said("failed"), 0, "fail", "refused_by_bank"),
        (replace(MISSED, outcome=Outcome.REJECTED, doubtful=True), NOT_FOUND, 11, "send", ""),
        (replace(MISSED, started_at=SENT - timedelta(hours=24)), NOT_FOUND, 11, "ask", ""),
        (replace(MISSED, started_at=SENT - timedelta(hours=24)), NOT_FOUND, 61, "review", "not_found"),
        (FRESH, NOT_FOUND, 0, "ask", ""),
        (FRESH, NOT_FOUND, 11, "ask", ""),
        (MISSED, NOT_FOUND, 9, "ask", ""),
        (MISSED, NOT_FOUND, 11, "send", ""),
        (replace(MISSED, missed_at=SENT + timedelta(minutes=10, seconds=59)), NOT_FOUND, 11, "ask", ""),
        (replace(MISSED, terms=FINCRA), NOT_FOUND, 11, "ask", ""),
        (replace(MISSED, terms=FINCRA), NOT_FOUND, 61, "send", ""),
        (replace(MISSED, terms=FLUTTERWAVE), NOT_FOUND, 59, "ask", ""),
        (replace(MISSED, terms=FLUTTERWAVE), NOT_FOUND, 61, "review", "not_found"),
        (replace(MISSED, terms=Terms(False, 600.0)), NOT_FOUND, 61, "review", "not_found"),
        (MISSED, NOT_FOUND, 61, "review", "not_found"),
        (replace(TAKEN, misses=9), NOT_FOUND, 30, "ask", ""),
        (replace(TAKEN, misses=9), NOT_FOUND, 61, "review", "not_found"),
        (FRESH, SILENCE, 59, "ask", ""),
        (FRESH, SILENCE, 61, "review", "silent"),
        (replace(FRESH, terms=FINCRA), SILENCE, 61, "ask", ""),
        (replace(TAKEN, answered_at=SENT + timedelta(days=2)), SILENCE, 60 * 48 + 5, "ask", ""),
        (FRESH, said("action_required"), 61, "ask", ""),
        (WAITING, said("action_required"), 29, "ask", ""),
        (WAITING, said("action_required"), 30, "review", "action_required"),
        (replace(WAITING, checks=4), said("action_required"), 1, "review", "action_required"),
        (WAITING, said("succeeded"), 31, "complete", ""),
        (PAID, said("succeeded"), 60, "rest", ""),
        (PAID, said("reversed"), 60, "return", "returned_by_bank"),
        (PAID, said("failed", None), 60, "return", "returned_by_bank"),
        (replace(PAID, outcome=Outcome.UNKNOWN), said("failed"), 60, "review", "contradiction"),
        (replace(PAID, outcome=Outcome.UNKNOWN), said("reversed"), 60, "return", "returned_by_bank"),
        (PAID, said("reversed", 399), 60, "review", "mismatch"),
        (PAID, NOT_FOUND, 60, "rest", ""),
        (PAID, said("pending"), 60, "rest", ""),
        (PAID, SILENCE, 60, "ask", ""),
        (replace(PAID, checks=24), SILENCE, 60, "rest", ""),
        (FAILED, said("failed"), 1, "rest", ""),
        (FAILED, NOT_FOUND, 1, "rest", ""),
        (FAILED, said("succeeded"), 1, "review", "contradiction"),
        (FAILED, said("pending"), 1, "review", "contradiction"),
        (FAILED, SILENCE, 1, "ask", ""),
        (CANCELLED, said("succeeded"), 1, "review", "contradiction"),
    ],
)  # fmt: skip
def test_the_banks_word_on_an_order(known, state, minutes, act, code):
    decision = on_state(known, state, SENT + timedelta(minutes=minutes))
    assert (decision.act, decision.code) == (act, code), decision.words
    assert decision.words


def test_only_a_conclusive_word_gives_money_back():
    """Whatever is known and however late it is: silence and "not found" alone never fail an order."""
    for known in (FRESH, TAKEN, MISSED, WAITING, PAID):
        for minutes in (0, 1, 61, 60 * 24 * 365):
            for state in (SILENCE, NOT_FOUND, said("pending"), said("action_required")):
                assert on_state(known, state, SENT + timedelta(minutes=minutes)).act not in ("fail", "return")


def test_a_refusal_is_confirmed_with_its_own_reason():
    decision = on_state(rejected(FRESH, answer("rejected", detail="no such account")), NOT_FOUND, SENT)
    assert (decision.act, decision.detail) == ("fail", "no such account")


def test_what_cant_be_sent_is_tried_for_a_day_ever_more_slowly():
    pauses = [on_answer(replace(FRESH, sends=sends), answer("not_sent"), SENT).pause for sends in (1, 3, 50)]
    assert pauses == [2.0, 8.0, 300.0]
    wished = on_answer(FRESH, answer("not_sent", retry_after=77.0), SENT)
    assert (wished.pause, wished.at_least) == (77.0, 77.0)
    late = on_answer(FRESH, answer("not_sent"), SENT + timedelta(hours=25))
    assert (late.act, late.code) == ("review", "not_sent")


@pytest.mark.parametrize(
    ("terms", "pauses", "lease", "patience"),
    [
        (PAYSTACK, [15, 60, 300, 900, 3600, 3600], 120, 3_600),
        (FLUTTERWAVE, [15, 60, 300, 900, 3600, 3600], 120, 3_600),
        (FINCRA, [15, 60, 300, 900, 3600, 3600], 120, 14_400), (SANDBOX, [0.25, 1, 5, 15, 60, 60], 20, 3_600),
    ],
)  # fmt: skip
def test_the_schedule_fits_the_provider(terms, pauses, lease, patience):
    assert [terms.pause(checks) for checks in range(6)] == pauses
    assert (terms.lease.total_seconds(), terms.patience.total_seconds()) == (lease, patience)


def test_a_bank_that_paid_is_asked_again_four_times():
    moments, now = [], SENT
    while (look := timing.next_look(SENT, now)) is not None:
        moments.append((look - SENT).total_seconds() / 3600)
        now = look
    assert moments == [1, 6, 24, 72]
