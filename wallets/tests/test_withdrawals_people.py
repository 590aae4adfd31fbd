"""What customers, staff and webhooks do to a withdrawal: cancel, resolve, ask again, say that there is news."""

from datetime import timedelta
from uuid import uuid4

import pytest

from ledger.decision import InsufficientFunds
from users import sessions
from users.models import AuditEvent
from wallets.models import ApprovalRule, Member, PayoutAttempt, Withdrawal, WithdrawalStep
from wallets.opening import InvalidState
from wallets.tests.conftest import PASSWORD, Http
from wallets.tests.payouts import BACK, GONE, HELD, books_are_clean
from wallets.tests.scripted import NOT_FOUND, SILENCE, UNKNOWN, answer, said
from wallets.withdrawals import failures, review
from wallets.withdrawals.hearsay import heard


def cancel(office, key="", http=None, id=None):
    return (http or office.http).post(f"withdrawals/{id or office.found().pk}/cancel", key=key)


# --- Cancelling --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("needs_approval", [False, True])
def test_what_was_never_sent_can_be_cancelled(office, needs_approval):
    if needs_approval:
        ApprovalRule.objects.create(currency="NGN", kind="amount", threshold=0)
    office.ask()
    done = cancel(office, key="c-1")
    assert (done.status, done.body["status"]) == (200, "cancelled")
    assert done.body["failure"] == {"code": "cancelled", "detail": failures.sentence("cancelled")}
    assert cancel(office, key="c-1").body == done.body
    assert office.money == BACK
    office.later(60)
    assert (office.bank.orders, books_are_clean()) == ([], True)


def test_what_was_known_not_to_be_sent_can_be_cancelled(office):
    office.bank.answers.append(answer("not_sent"))
    office.ask()
    office.later()
    assert cancel(office).status == 200
    office.later(3_600)
    assert (len(office.bank.orders), office.money) == (1, BACK)


@pytest.mark.parametrize(
    ("answers", "states", "status", "money"),
    [
        ([], [said("pending")], "processing", HELD), ([UNKNOWN], [NOT_FOUND], "processing", HELD),
        ([], [said("succeeded", 1)], "in_review", HELD), ([], [], "completed", GONE),
        ([], [said("failed")], "failed", BACK),
    ],
)  # fmt: skip
def test_what_is_on_its_way_or_over_cant_be_cancelled(office, answers, states, status, money):
    office.bank.answers.extend(answers)
    office.bank.states.extend(states)
    office.ask()
    office.run(status)
    refused = cancel(office)
    assert (refused.status, refused.code) == (409, "invalid_state")
    assert (office.found().status, office.money) == (status, money)


def test_what_may_have_arrived_is_never_cancelled_though_it_is_sent_again(office):
    office.bank.answers.extend([UNKNOWN, answer("not_sent")])
    office.bank.states.append(NOT_FOUND)
    office.ask()
    while len(office.bank.orders) < 2:
        office.later(60)
    assert (office.found().status, office.attempt.outcome) == ("processing", "not_sent")
    assert cancel(office).code == "invalid_state"


def test_only_who_may_spend_cancels(office, bob, charlie, shop):
    office.ask()
    Member.objects.create(wallet=office.wallet, user=bob.user, role="viewer", created_at=office.now)

    def http(person):
        return Http(sessions.log_in(email=person.user.email, password=PASSWORD, now=office.now).access)

    assert cancel(office, http=http(bob)).code == "permission_denied"
    assert cancel(office, http=http(charlie)).code == "not_found"
    assert cancel(office, id=uuid4()).code == "not_found"
    assert cancel(office, key=None).code == "idempotency_key_missing"
    assert office.http.post(f"withdrawals/{office.found().pk}/cancel", {"amount": 1}).code == "validation_error"
    assert (office.found().status, office.money) == ("pending", HELD)


# --- Resolving what is in review ---------------------------------------------------------------------------------


@pytest.fixture
def in_review(office):
    """A withdrawal that needs a person, its money held."""
    office.bank.answers.append(UNKNOWN)
    office.bank.states.append(SILENCE)
    office.ask()
    office.run("in_review")
    assert office.money == HELD
    return office


def test_a_person_settles_as_paid(in_review, sade):
    review.settle_as_paid(in_review.found().pk, actor=sade.user, reason="On their list.", now=in_review.now)
    assert (in_review.found().status, in_review.money) == ("completed", GONE)
    step = WithdrawalStep.objects.latest("id")
    assert (step.what, step.actor) == ("Settled as paid: On their list.", f"staff:{sade.user.pk}")
    assert AuditEvent.objects.filter(action="withdrawal.completed", actor_id=str(sade.user.pk)).exists()
    assert books_are_clean()


def test_what_a_person_settled_as_paid_isnt_given_back_without_a_person(in_review, sade):
    def settle():
        review.settle_as_paid(in_review.found().pk, actor=sade.user, reason="By hand.", now=in_review.now)

    settle()
    in_review.bank.states[0] = said("failed")
    found = in_review.run("in_review")
    assert (found.failure_code, in_review.money) == ("contradiction", GONE)
    settle()
    found = in_review.found()
    assert (found.status, found.next_at, in_review.money) == ("completed", None, GONE), "it isn't asked for ever"


def test_what_a_person_settled_as_paid_comes_back_when_the_bank_sends_it_back(in_review, sade):
    review.settle_as_paid(in_review.found().pk, actor=sade.user, reason="On their list.", now=in_review.now)
    in_review.bank.states[0] = said("succeeded")
    in_review.later(3_600)
    assert (in_review.found().status, in_review.attempt.outcome) == ("completed", "paid")
    in_review.bank.states[0] = said("failed")
    assert (in_review.run("returned", hours=24).status, in_review.money) == ("returned", BACK)


def test_a_person_gives_back(in_review, sade):
    review.settle_as_failed(in_review.found().pk, actor=sade.user, reason="They know nothing.", now=in_review.now)
    assert (in_review.found().status, in_review.attempt.outcome, in_review.money) == ("failed", "refused", BACK)
    assert in_review.shown()["failure"] == {"code": "settled_by_staff", "detail": failures.sentence("settled_by_staff")}
    assert "Given back: They know nothing." in WithdrawalStep.objects.values_list("what", flat=True)


@pytest.mark.parametrize(
    ("state", "status", "money"),
    [(said("succeeded"), "completed", GONE), (said("failed"), "failed", BACK), (SILENCE, "in_review", HELD)],
)
def test_a_person_has_the_bank_asked_again(in_review, sade, state, status, money):
    in_review.bank.states.clear()
    in_review.bank.states.append(state)
    review.ask_again(in_review.found().pk, actor=sade.user, reason="They said it works again.", now=in_review.now)
    assert in_review.found().status == "processing"
    in_review.later()
    assert (in_review.found().status, in_review.money, len(in_review.bank.orders)) == (status, money, 1)


def test_what_failed_is_tried_again_under_a_new_reference(office, sade):
    office.bank.states.extend([said("failed"), said("succeeded")])
    office.ask()
    office.run("failed")
    review.retry(office.found().pk, actor=sade.user, reason="Their system was down.", now=office.now)
    assert (office.found().status, office.money) == ("pending", HELD)
    office.run("completed")
    first, second = (order.reference for order in office.bank.orders)
    assert (first.endswith("_1"), second.endswith("_2"), office.money) == (True, True, GONE)
    assert books_are_clean()


def test_what_was_refused_at_the_door_is_tried_again_only_after_the_grace(office, sade):
    """The bank may have taken what it calls bad, and show it only after a while."""
    office.bank.answers.append(answer("rejected", detail="no such account"))
    office.bank.states.append(NOT_FOUND)
    office.ask()
    failed = office.run("failed")
    with pytest.raises(InvalidState, match="might have it"):
        review.retry(failed.pk, actor=sade.user, reason="Again.", now=office.now)
    assert (office.found().status, office.money) == ("failed", BACK)
    review.retry(failed.pk, actor=sade.user, reason="Again.", now=office.now + timedelta(minutes=10))
    assert (office.found().status, office.money) == ("pending", HELD)


def test_a_retry_needs_its_money(office, sade, shop):
    office.bank.states.append(said("failed"))
    office.ask(1_000)
    office.run("failed")
    office.ask(1)
    failed = Withdrawal.objects.get(status="failed")
    with pytest.raises(InsufficientFunds):
        review.retry(failed.pk, actor=sade.user, reason="Again.", now=office.now)
    assert (Withdrawal.objects.get(pk=failed.pk).status, office.money) == ("failed", (1_000, 1))


@pytest.mark.parametrize("deed", ["settle_as_paid", "settle_as_failed", "ask_again", "retry"])
def test_a_deed_needs_its_state(office, sade, deed):
    office.ask()
    with pytest.raises(InvalidState):
        getattr(review, deed)(office.found().pk, actor=sade.user, reason="Because.", now=office.now)
    assert (office.found().status, office.money) == ("pending", HELD)


# --- Hearsay -----------------------------------------------------------------------------------------------------


def word(office, reference=None):
    return heard("scripted", reference or office.attempt.reference, now=office.now)


def test_word_of_a_stranger_is_nothing(office):
    office.ask()
    office.later()
    assert not word(office, "wdr_unknown_reference_1")
    assert not heard("sandbox", office.attempt.reference, now=office.now)


def test_word_makes_the_bank_be_asked_now_and_moves_no_money(office):
    office.bank.states.extend([said("pending")])
    office.ask()
    office.later()
    office.bank.states.append(said("succeeded"))
    office.bank.states.popleft()
    assert word(office)
    assert (office.found().status, office.money) == ("processing", HELD)
    assert office.later().status == "completed"


def test_word_while_a_worker_is_at_it_has_the_bank_asked_right_after(office):
    def hear():
        assert word(office)
        return answer("accepted")

    office.bank.answers.append(hear)
    office.ask()
    found = office.later()
    assert (found.status, found.next_at, found.heard) == ("processing", office.now, False)
    assert office.later().status == "completed"
    assert len(office.bank.orders) == 1


@pytest.mark.parametrize("refusal", ["rejected", "not_sent"])
def test_word_while_a_worker_is_refused_has_the_bank_asked_before_that_is_believed(office, refusal):
    def hear():
        assert word(office)
        return answer(refusal, detail="no")

    office.bank.answers.append(hear)
    office.bank.states.extend([NOT_FOUND, said("succeeded")] if refusal == "rejected" else [said("succeeded")])
    office.ask()
    found = office.later()
    assert (found.status, found.next_at, office.money) == ("processing", office.now, HELD)
    assert office.http.post(f"withdrawals/{found.pk}/cancel").code == "invalid_state"
    assert (office.later().status, office.money, len(office.bank.orders)) == ("completed", GONE, 1)


@pytest.mark.parametrize(("state", "end"), [(said("failed"), "failed"), (said("succeeded", 399), "in_review")])
def test_word_while_the_bank_is_asked_has_it_asked_once_more_and_no_oftener(office, monkeypatch, state, end):
    def hear(*_):
        assert word(office)
        monkeypatch.undo()
        return state

    office.bank.states.append(state)
    office.ask()
    office.later()
    monkeypatch.setattr(office.bank, "query_payout", hear)
    found = office.later(60)
    assert (found.status, found.next_at, office.money) == ("processing", office.now, HELD)
    assert office.later().status == end


def test_word_of_a_late_return_is_followed(office):
    office.ask()
    office.run("completed")
    office.bank.states.append(said("reversed"))
    for _ in range(3):
        assert word(office)
        office.later(1)
    assert (office.found().status, office.money, books_are_clean()) == ("returned", BACK, True)


@pytest.mark.parametrize("sent", [False, True])
def test_word_of_an_attempt_that_is_tried_again_is_written_down_for_a_person(office, sade, caplog, sent):
    office.bank.states.append(said("failed"))
    office.ask()
    failed, first = office.run("failed"), office.attempt.reference
    review.retry(failed.pk, actor=sade.user, reason="They say it works now.", now=office.now)
    office.bank.states[0] = said("pending")
    if sent:
        office.later()
    assert word(office, first)
    newest = WithdrawalStep.objects.filter(attempt=1).latest("id")
    assert "tried again under another reference" in newest.what
    assert first in caplog.text
    assert office.money == HELD


def test_word_about_what_never_left_has_it_asked_about_and_not_sent(office):
    office.bank.answers.append(answer("not_sent"))
    office.bank.states.append(said("succeeded"))
    office.ask()
    office.later()
    assert word(office)
    assert office.later().status == "completed"
    assert (len(office.bank.orders), office.money) == (1, GONE)


def test_a_bank_that_paid_what_it_had_refused_needs_a_person_and_the_money_is_held_again(office, sade):
    office.bank.states.append(said("failed"))
    office.ask()
    office.run("failed")
    assert word(office)
    assert office.later().status == "failed", "it stays with its refusal"
    office.bank.states[0] = said("succeeded")
    assert word(office)
    found = office.later()
    assert (found.status, found.failure_code, office.money) == ("in_review", "contradiction", HELD)
    review.settle_as_paid(found.pk, actor=sade.user, reason="They did.", now=office.now)
    assert (office.money, books_are_clean()) == (GONE, True)


def test_the_contradiction_is_told_also_where_the_money_is_gone(office, sade):
    office.bank.states.append(said("failed"))
    office.ask(1_000)
    office.run("failed")
    first, reference = office.found(), office.attempt.reference
    office.ask(1)
    office.bank.states[0] = said("succeeded", 1_000)
    assert word(office, reference)
    office.sweep()
    found = Withdrawal.objects.get(pk=first.pk)
    assert (found.status, found.failure_code) == ("in_review", "contradiction_money_gone")
    with pytest.raises(InsufficientFunds):
        review.settle_as_paid(found.pk, actor=sade.user, reason="They did.", now=office.now)
    assert books_are_clean()


@pytest.mark.parametrize("status", ["in_review", "cancelled"])
def test_word_reaches_what_rests(office, status):
    office.bank.answers.append(answer("not_sent") if status == "cancelled" else UNKNOWN)
    office.bank.states.append(SILENCE)
    office.ask()
    if status == "cancelled":
        office.later()
        cancel(office)
    else:
        office.run("in_review")
    office.bank.states[0] = said("failed")
    assert word(office)
    office.later()
    assert (office.money, len(office.bank.orders)) == (BACK, 1)
    assert office.found().status == ("cancelled" if status == "cancelled" else "failed")


def test_after_a_return_word_changes_nothing(office):
    office.ask()
    office.run("completed")
    office.bank.states.append(said("reversed"))
    office.run("returned", hours=2)
    office.bank.states[0] = said("succeeded")
    assert word(office)
    office.later(3_600)
    assert (office.found().status, office.money, PayoutAttempt.objects.count()) == ("returned", BACK, 1)
