"""Two at once, by real threads: one wins, the other finds that out, and the books are clean."""

from datetime import timedelta

import pytest

from users.permissions import PermissionDenied
from wallets.models import ApprovalRule, PayoutAttempt, Withdrawal, WithdrawalLimit, WithdrawalStep
from wallets.opening import InvalidState
from wallets.tests.payouts import BACK, GONE, HELD, books_are_clean
from wallets.tests.scripted import SILENCE, UNKNOWN, answer, said
from wallets.tests.test_once import at_once
from wallets.withdrawals import approve, payout, review
from wallets.withdrawals.claim import claim
from wallets.withdrawals.hearsay import heard


def tried(deed, *arguments, **named):
    """Whether it was done; a refusal is the only other outcome."""
    try:
        deed(*arguments, **named)
    except (InvalidState, PermissionDenied):
        return False
    return True


@pytest.mark.parametrize("round_", range(5))
def test_cancel_against_claim_has_one_winner(committed, office, round_):
    office.bank.states.append(said("pending"))
    office.ask()
    id, http = office.found().pk, office.http

    def work(number):
        if number == 0:
            return http.post(f"withdrawals/{id}/cancel").status
        return payout.advance(id, clock=lambda: office.now)

    cancelled, sent = at_once(2, work)
    assert (cancelled, sent) in ((200, False), (409, True))
    assert len(office.bank.orders) == int(sent)
    assert (office.found().status, office.money) == (("processing", HELD) if sent else ("cancelled", BACK))
    assert books_are_clean()


@pytest.mark.parametrize("round_", range(3))
def test_approve_against_cancel_ends_in_one_of_two_ways(committed, office, sade, round_):
    ApprovalRule.objects.create(currency="NGN", kind="amount")
    office.ask()
    id, http = office.found().pk, office.http

    def work(number):
        if number == 0:
            return http.post(f"withdrawals/{id}/cancel").status == 200
        return tried(approve.approve, id, actor=sade.user, reason="Known.", now=office.now)

    cancelled, _ = at_once(2, work)
    assert cancelled, "nothing was sent, so it can be cancelled before the approval and after it"
    assert (office.found().status, office.money, books_are_clean()) == ("cancelled", BACK, True)
    office.later(60)
    assert office.bank.orders == []


def test_approve_against_reject_has_one_winner(committed, office, sade):
    ApprovalRule.objects.create(currency="NGN", kind="amount")
    office.ask()
    id = office.found().pk

    def work(number):
        if number % 2:
            return tried(approve.approve, id, actor=sade.user, reason="Known.", now=office.now)
        return tried(approve.reject, id, actor=sade.user, reason="No.", now=office.now)

    assert sum(at_once(6, work)) == 1
    assert (office.found().status, office.money) in (("pending", HELD), ("cancelled", BACK))
    assert books_are_clean()


def test_many_workers_send_one_order(committed, office):
    office.ask()
    id = office.found().pk
    taken = at_once(6, lambda number: payout.advance(id, clock=lambda: office.now))
    assert (sum(taken), len(office.bank.orders), PayoutAttempt.objects.count()) == (1, 1, 1)


def test_many_workers_settle_once(committed, office):
    office.bank.states.append(said("succeeded"))
    office.ask()
    office.later()
    Withdrawal.objects.update(next_at=office.now)
    id = office.found().pk
    at_once(6, lambda number: payout.advance(id, clock=lambda: office.now))
    assert (office.found().status, office.money, books_are_clean()) == ("completed", GONE, True)


@pytest.mark.parametrize("late", [said("succeeded"), said("failed"), said("succeeded", 1), SILENCE])
def test_a_stale_lease_writes_nothing(office, late):
    office.bank.states.append(said("pending"))
    office.ask()
    office.later()
    first = claim(office.found().pk, office.found().next_at)
    second = claim(office.found().pk, office.now + timedelta(minutes=5))
    payout._write_state(second, said("pending"), office.now)
    before, steps = office.found().updated_at, WithdrawalStep.objects.count()
    payout._write_state(first, late, office.now + timedelta(days=1))
    found = office.found()
    assert (found.status, found.updated_at, WithdrawalStep.objects.count()) == ("processing", before, steps)
    assert (office.money, books_are_clean()) == (HELD, True)


def test_a_daily_limit_lets_no_two_pass_together(committed, office):
    WithdrawalLimit.objects.create(currency="NGN", scope="user", window="day", amount=300)
    account, https = office.account()["id"], [office.http for _ in range(8)]

    def work(number):
        body = {"amount": 100, "bank_account": account}
        return https[number].post(f"wallets/{office.wallet.id}/withdrawals", body)

    answers = at_once(8, work)
    assert sorted(answer.status for answer in answers) == [202] * 3 + [422] * 5
    assert {answer.code for answer in answers if answer.status == 422} == {"limit_exceeded"}
    assert (office.money, books_are_clean()) == ((1_000, 300), True)


def test_two_who_resolve_it_differently_have_one_winner(committed, office, sade):
    office.bank.answers.append(UNKNOWN)
    office.bank.states.append(SILENCE)
    office.ask()
    id = office.run("in_review").pk

    def work(number):
        deed = review.settle_as_paid if number % 2 else review.settle_as_failed
        return tried(deed, id, actor=sade.user, reason="I know.", now=office.now)

    assert sum(at_once(6, work)) == 1
    assert (office.found().status, office.money) in (("completed", GONE), ("failed", BACK))
    assert books_are_clean()


def test_retry_happens_once(committed, office, sade):
    office.bank.states.append(said("failed"))
    office.ask()
    id = office.run("failed").pk
    done = at_once(4, lambda _: tried(review.retry, id, actor=sade.user, reason="Again.", now=office.now))
    assert (sum(done), office.money, books_are_clean()) == (1, HELD, True)


def test_a_storm_of_words_and_workers_posts_once(committed, office):
    office.bank.answers.append(answer("unknown"))
    office.bank.states.extend([said("pending"), said("pending"), said("succeeded")])
    office.ask()
    office.later()
    id, reference = office.found().pk, office.attempt.reference

    def work(number):
        for _ in range(4):
            if number % 2:
                heard("scripted", reference, now=office.now)
            else:
                payout.advance(id, clock=lambda: office.now)

    at_once(6, work)
    office.run("completed")
    assert (office.money, len(office.bank.orders), books_are_clean()) == (GONE, 1, True)


def test_returned_once_whoever_asks(committed, office):
    office.ask()
    id = office.run("completed").pk
    office.bank.states.append(said("reversed"))
    reference = office.attempt.reference

    def work(number):
        heard("scripted", reference, now=office.now)
        return payout.advance(id, clock=lambda: office.now)

    at_once(6, work)
    office.sweep()
    assert (office.found().status, office.money, books_are_clean()) == ("returned", BACK, True)
