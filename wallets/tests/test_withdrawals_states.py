"""What a bank answers, and where the withdrawal and its money are then: through the real worker, tables and books."""

import pytest

from wallets.models import BankAccount, PayoutAttempt, WithdrawalStep
from wallets.providers.port import AccountNotResolved, ProviderUnavailable
from wallets.tests.payouts import BACK, GONE, HELD, books_are_clean
from wallets.tests.scripted import NOT_FOUND, SILENCE, UNKNOWN, answer, said
from wallets.withdrawals import failures, timing


@pytest.mark.parametrize(
    ("answers", "states", "status", "money", "orders"),
    [
        ([], [], "completed", GONE, 1),
        ([], [said("pending"), said("succeeded")], "completed", GONE, 1),
        ([], [said("pending"), said("failed")], "failed", BACK, 1),
        ([], [said("reversed")], "failed", BACK, 1),
        ([], [said("succeeded", 399)], "in_review", HELD, 1),
        ([], [said("succeeded", 400, "GHS")], "in_review", HELD, 1),
        ([], [SILENCE, said("succeeded")], "completed", GONE, 1),
        ([], [SILENCE], "in_review", HELD, 1),
        ([], [NOT_FOUND], "in_review", HELD, 1),
        ([UNKNOWN], [said("succeeded")], "completed", GONE, 1),
        ([UNKNOWN], [said("failed")], "failed", BACK, 1),
        ([UNKNOWN], [NOT_FOUND, NOT_FOUND, said("succeeded")], "completed", GONE, 1),
        ([UNKNOWN], [NOT_FOUND] * 4 + [said("succeeded")], "completed", GONE, 2),
        ([UNKNOWN, answer("already_exists")], [NOT_FOUND] * 4 + [said("succeeded")], "completed", GONE, 2),
        ([UNKNOWN], [SILENCE], "in_review", HELD, 1),
        ([answer("already_exists")], [said("succeeded")], "completed", GONE, 1),
        ([answer("already_exists")], [said("failed")], "failed", BACK, 1),
        ([answer("rejected")], [NOT_FOUND], "failed", BACK, 1),
        ([answer("rejected")], [said("failed")], "failed", BACK, 1),
        ([answer("rejected")], [said("pending"), said("succeeded")], "completed", GONE, 1),
        ([answer("rejected")], [SILENCE, NOT_FOUND], "failed", BACK, 1),
        ([answer("rejected")], [SILENCE], "in_review", HELD, 1),
        ([answer("not_sent")], [], "completed", GONE, 2),
        ([answer("not_sent")] * 3, [], "completed", GONE, 4),
        ([answer("rejected", misconfigured=True)], [], "completed", GONE, 2),
        ([answer("action_required")], [said("action_required"), said("succeeded")], "completed", GONE, 1),
        ([answer("action_required")], [said("action_required")], "in_review", HELD, 1),
    ],
)  # fmt: skip
def test_every_answer_leads_where_it_should(office, answers, states, status, money, orders):
    office.bank.answers.extend(answers)
    office.bank.states.extend(states)
    assert office.ask().status == 202
    office.run(status)
    assert office.money == money
    assert len(office.bank.orders) == orders
    assert {order.reference for order in office.bank.orders} == {office.attempt.reference}, "one reference, for ever"
    assert books_are_clean()


def test_without_unique_references_nothing_is_sent_twice(office):
    office.bank.capabilities = frozenset()
    office.bank.answers.append(UNKNOWN)
    office.bank.states.append(NOT_FOUND)
    office.ask()
    found = office.run("in_review")
    assert (found.failure_code, len(office.bank.orders), office.money) == ("not_found", 1, HELD)


def test_what_waits_for_a_person_waits_with_its_reason_and_without_a_worker(office):
    office.bank.states.append(said("succeeded", 399))
    office.ask()
    found = office.run("in_review")
    assert (found.failure_code, found.next_at) == ("mismatch", None)
    assert "399 NGN" in found.failure_detail
    asked = len(office.bank.asked)
    office.later(86_400)
    assert len(office.bank.asked) == asked
    assert office.shown()["failure"] is None, "it hasn't failed"


def test_a_worker_that_dies_before_its_call_is_followed_by_one_that_asks(office):
    def die():
        raise SystemError("the worker died here")

    office.bank.answers.append(die)
    office.bank.states.extend([NOT_FOUND] * 5 + [said("succeeded")])
    office.ask()
    office.later()
    assert (office.found().status, office.attempt.outcome, office.money) == ("processing", "unknown", HELD)
    office.later(89)
    assert not office.bank.asked, "its lease is longer than any call"
    office.run("completed")
    assert (len(office.bank.orders), PayoutAttempt.objects.count(), office.money) == (2, 1, GONE)


BANKS_WORDS = "Your balance is not enough to fulfill this request"


@pytest.mark.parametrize(
    ("answers", "states", "status"),
    [
        ([answer("rejected", detail=BANKS_WORDS)], [NOT_FOUND], "failed"),
        ([answer("rejected", detail=BANKS_WORDS)], [said("failed", detail=BANKS_WORDS)], "failed"),
        ([], [said("failed", detail=BANKS_WORDS)], "failed"),
        ([], [said("succeeded"), said("reversed", detail=BANKS_WORDS)], "returned"),
    ],
)  # fmt: skip
def test_a_customer_reads_our_words_and_staff_the_banks(office, answers, states, status):
    office.bank.answers.extend(answers)
    office.bank.states.extend(states)
    office.ask()
    found = office.run(status)
    assert office.shown()["failure"] == {"code": found.failure_code, "detail": failures.sentence(found.failure_code)}
    assert BANKS_WORDS not in str(office.shown())
    assert any(BANKS_WORDS in step.what for step in found.steps.all())


@pytest.mark.parametrize("code", [*failures.SENTENCES, "any other"])
def test_each_sentence_says_that_the_money_is_back(code):
    assert failures.BACK in failures.sentence(code)


def test_retry_after_is_honoured(office):
    office.bank.answers.append(answer("not_sent", retry_after=120.0))
    office.ask()
    found = office.later()
    assert found.status == "pending", "nothing of it is at the bank"
    assert (found.next_at - office.now).total_seconds() >= 120
    office.later(119)
    assert len(office.bank.orders) == 1


def test_a_history_is_written_for_people(office):
    office.bank.answers.append(answer("accepted", raw={"status": "pending"}))
    office.bank.states.extend([said("pending"), said("succeeded", raw={"status": "success"})])
    office.ask()
    office.run("completed")
    assert office.history() == [("", "pending"), ("pending", "processing"), ("processing", "completed")]
    told = [(step.what, step.raw) for step in WithdrawalStep.objects.order_by("id")]
    assert [what for what, _ in told] == [
        "Asked for, and the money held.", "A worker took it, to be paid through scripted.", "The bank took the order.",
        "The bank has it, and hasn't paid yet.", "The bank paid.",
    ]  # fmt: skip
    assert [raw for _, raw in told if raw] == [{"status": "pending"}, {"status": "success"}]


def test_history_is_never_changed(office):
    from django.db import DatabaseError, connection, transaction

    office.ask()
    for statement in ("UPDATE wallets_withdrawalstep SET what = ''", "DELETE FROM wallets_withdrawalstep"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_who_adds_a_bank_account_reads_our_words_too(office, monkeypatch):
    def refuse(*_):
        raise AccountNotResolved(BANKS_WORDS)

    monkeypatch.setattr(office.bank, "resolve_account", refuse)
    told = office.account()
    assert told["errors"][0]["code"] == "not_resolved"
    assert BANKS_WORDS not in str(told)


# --- Who is to be paid -------------------------------------------------------------------------------------------


def test_a_recipient_is_asked_for_once_and_kept(office):
    office.bank.recipients.extend(["RCP_1", "RCP_2"])
    for _ in range(2):
        office.ask(100)
        office.sweep()
    assert [order.recipient for order in office.bank.orders] == ["RCP_1", "RCP_1"]


def test_a_recipient_is_dropped_when_the_account_changes(office):
    office.bank.recipients.append("RCP_1")
    office.ask(100)
    office.later()
    account = BankAccount.objects.get()
    BankAccount.objects.filter(pk=account.pk).update(number=account.number, deleted_at=None)
    assert BankAccount.objects.get().recipient == "RCP_1"
    BankAccount.objects.filter(pk=account.pk).update(bank_code="044")
    assert BankAccount.objects.get().recipient == ""


def test_an_account_that_the_provider_cant_find_is_refused_before_anything_is_sent(office):
    office.bank.recipients.append(AccountNotResolved("There is no such account."))
    office.bank.states.append(NOT_FOUND)
    office.ask()
    found = office.later()
    assert (found.status, found.failure_detail, office.money) == ("failed", "There is no such account.", BACK)
    assert office.bank.orders == []


def test_a_provider_that_cant_be_asked_for_a_recipient_is_tried_again(office):
    office.bank.recipients.extend([ProviderUnavailable("HTTP 503"), "RCP_1"])
    office.ask()
    assert (office.later().status, office.attempt.outcome) == ("pending", "not_sent")
    office.run("completed")
    assert (len(office.bank.orders), office.money) == (1, GONE)


# --- After the bank paid -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("looks", range(4))
def test_what_comes_back_late_is_returned_by_a_transaction_of_its_own(office, looks):
    office.ask()
    office.run("completed")
    office.bank.states.extend([said("succeeded")] * looks + [said("reversed", detail="account closed")])
    found = office.run("returned", hours=73)
    assert (office.money, found.failure_code) == (BACK, "returned_by_bank")
    newest = office.http.get(f"wallets/{office.wallet.id}/transactions").body["results"][0]
    assert (newest["type"], newest["amount"], newest["id"]) == ("reversal", 400, str(found.return_transaction_id))
    assert newest["related"] == {"kind": "withdrawal", "id": str(found.pk)}
    assert office.shown()["status"] == "returned"
    assert books_are_clean()


def test_after_three_days_nobody_asks_any_more(office):
    office.ask()
    office.run("completed")
    asked = len(office.bank.asked)
    while (found := office.found()).next_at is not None:
        office.later((found.next_at - office.now).total_seconds())
    assert len(office.bank.asked) == asked + len(timing.LOOKS)
    assert (office.found().status, office.money) == ("completed", GONE)


def test_another_amount_that_came_back_needs_a_person(office):
    office.ask()
    office.run("completed")
    office.bank.states.append(said("reversed", 399))
    found = office.run("in_review", hours=2)
    assert (found.failure_code, office.money) == ("mismatch", GONE)
