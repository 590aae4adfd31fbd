"""What keeps orders back: a person's pause, and a provider that doesn't answer. Asking goes on all the while."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from users.models import AuditEvent
from wallets import metrics, opening, tasks
from wallets.models import PayoutAttempt, PayoutPause, ProviderCircuit, Withdrawal
from wallets.tests.payouts import BACK, GONE, HELD
from wallets.tests.scripted import NOT_FOUND, UNKNOWN, answer, said
from wallets.withdrawals import breaker, review


@pytest.mark.parametrize("scope", [(), ("--provider", "scripted")])
def test_a_pause_stops_new_orders_and_nothing_else(office, scope):
    office.bank.states.append(said("pending"))
    office.ask(100)
    office.sweep()
    call_command("pause_payouts", *scope, "--reason", "The bank is on fire.")
    office.ask(300)
    asked = len(office.bank.asked)
    for _ in range(5):
        office.sweep(400)
    assert len(office.bank.orders) == 1
    assert len(office.bank.asked) > asked
    assert Withdrawal.objects.get(amount=300).status == "pending"
    call_command("resume_payouts", *scope)
    office.sweep(31)
    assert len(office.bank.orders) == 2
    actions = AuditEvent.objects.filter(object_kind="provider").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["payouts.paused", "payouts.resumed"]


def test_the_pause_of_another_provider_stops_nothing(office):
    call_command("pause_payouts", "--provider", "sandbox", "--reason", "x")
    office.ask()
    office.run("completed")


def test_what_is_paused_can_be_cancelled(office):
    call_command("pause_payouts", "--reason", "x")
    office.ask()
    office.later()
    assert office.http.post(f"withdrawals/{office.found().pk}/cancel").status == 200


def test_a_pause_tells_its_reason_and_names_a_provider_that_there_is(office, capsys):
    with pytest.raises(CommandError, match=r"enabled are .*scripted"):
        call_command("pause_payouts", "--provider", "nobody", "--reason", "x")
    with pytest.raises(CommandError):
        call_command("pause_payouts")
    call_command("pause_payouts", "--provider", "scripted", "--reason", "first")
    call_command("pause_payouts", "--provider", "scripted", "--reason", "second")
    call_command("resume_payouts")
    assert "Still paused: scripted, because: first" in capsys.readouterr().out
    assert PayoutPause.objects.get().reason == "first"


def test_nothing_is_sent_out_of_a_frozen_wallet_until_it_is_thawed(office, sade):
    office.bank.states.append(said("pending"))
    office.ask(100)
    office.sweep()
    waiting = office.ask(300).body["id"]
    opening.set_frozen(actor=sade.user, wallet_id=office.wallet.pk, frozen=True, now=office.now)
    asked = len(office.bank.asked)
    for _ in range(3):
        office.sweep(60)
    assert (len(office.bank.orders), Withdrawal.objects.get(pk=waiting).status) == (1, "pending")
    assert len(office.bank.asked) > asked, "what was sent before is asked about"
    opening.set_frozen(actor=sade.user, wallet_id=office.wallet.pk, frozen=False, now=office.now)
    office.sweep(60)
    assert len(office.bank.orders) == 2


def fail_often(office, times=breaker.THRESHOLD, result=UNKNOWN):
    office.bank.answers.extend([result] * times)
    office.bank.states.append(said("pending"))
    for _ in range(times):
        office.ask(10)
        office.sweep()


def test_after_enough_silence_orders_wait_and_questions_go_on(office):
    fail_often(office)
    circuit = ProviderCircuit.objects.get()
    assert (circuit.failures, circuit.opened_at, circuit.retry_at) == (
        breaker.THRESHOLD, office.now, office.now + timedelta(seconds=30),
    )  # fmt: skip
    office.ask(10)
    office.sweep()
    assert len(office.bank.orders) == breaker.THRESHOLD
    assert Withdrawal.objects.filter(status="pending").count() == 1
    asked = len(office.bank.asked)
    office.sweep(20)
    assert len(office.bank.asked) > asked
    assert Withdrawal.objects.filter(next_at__lt=office.now + timedelta(seconds=60), status="processing").count() == 0


def test_a_success_before_that_starts_the_count_again(office):
    fail_often(office, breaker.THRESHOLD - 1)
    office.ask(10)
    office.sweep()
    fail_often(office, breaker.THRESHOLD - 1)
    assert ProviderCircuit.objects.get().opened_at is None


def test_one_order_tries_again_and_its_answer_closes_the_circuit(office):
    fail_often(office)
    for _ in range(3):
        office.ask(10)
    office.sweep()
    sent = len(office.bank.orders)
    office.sweep(61)
    assert len(office.bank.orders) > sent
    assert ProviderCircuit.objects.get().opened_at is None
    office.sweep(61)
    assert len(office.bank.orders) == sent + 3
    trail = AuditEvent.objects.filter(action__startswith="circuit").order_by("id").values_list("action", flat=True)
    assert list(trail) == ["circuit.opened", "circuit.closed"]


def test_while_the_probe_is_out_nobody_else_goes(office):
    fail_often(office)
    office.sweep(30)
    lease = timedelta(seconds=90)
    assert breaker.held_until("scripted", "NGN", lease=lease, now=office.now) is None
    assert breaker.held_until("scripted", "NGN", lease=lease, now=office.now) > office.now
    assert breaker.held_until("scripted", "NGN", lease=lease, now=office.now + lease) is None


def test_a_probe_that_fails_waits_longer(office):
    fail_often(office)
    office.bank.answers.append(UNKNOWN)
    office.ask(10)
    office.sweep(30)
    circuit = ProviderCircuit.objects.get()
    assert (circuit.failures, circuit.retry_at) == (breaker.THRESHOLD + 1, office.now + timedelta(seconds=60))


def test_keys_that_dont_fit_open_it_at_once_and_fail_nobodys_withdrawal(office):
    office.bank.answers.append(answer("rejected", misconfigured=True, detail="HTTP 401"))
    office.ask()
    office.later()
    circuit = ProviderCircuit.objects.get()
    assert (circuit.opened_at, circuit.reason) == (office.now, "It refuses us: HTTP 401")
    assert (office.found().status, office.money) == ("pending", HELD)
    office.run("completed")
    assert office.money == GONE


POOR = answer("rejected", underfunded=True, detail="Your balance is not enough")


def test_too_little_of_ours_there_fails_nobodys_withdrawal(office):
    office.bank.answers.extend([POOR] * 3)
    office.bank.states.extend([NOT_FOUND] * 3 + [said("succeeded")])
    office.ask()
    assert (office.later().status, office.attempt.outcome, office.money) == ("pending", "not_sent", HELD)
    office.run("completed")
    assert (len(office.bank.orders), PayoutAttempt.objects.count(), office.money) == (4, 1, GONE)
    assert {order.reference for order in office.bank.orders} == {office.attempt.reference}


def test_orders_in_its_currency_wait_and_one_tries_again(office):
    office.bank.answers.append(POOR)
    office.bank.states.extend([NOT_FOUND, said("pending")])
    for _ in range(3):
        office.ask(10)
    office.sweep()
    circuit = ProviderCircuit.objects.get(currency="NGN")
    assert (circuit.opened_at, circuit.retry_at) == (office.now, office.now + timedelta(seconds=30))
    assert (len(office.bank.orders), circuit_state("NGN"), circuit_state()) == (1, metrics.CIRCUIT["open"], 0)
    lease = timedelta(seconds=90)
    assert breaker.held_until("scripted", "NGN", lease=lease, now=office.now) > office.now
    assert breaker.held_until("scripted", "USD", lease=lease, now=office.now) is None
    office.sweep(61)
    office.sweep(61)
    assert len(office.bank.orders) == 4
    assert (ProviderCircuit.objects.get(currency="NGN").opened_at, circuit_state("NGN")) == (None, 0)
    trail = AuditEvent.objects.filter(action__startswith="circuit").order_by("id").values_list("action", "data")
    assert [(action, data["currency"]) for action, data in trail] == [
        ("circuit.opened", "NGN"), ("circuit.closed", "NGN"),
    ]  # fmt: skip


def test_a_refusal_of_an_order_says_nothing_of_our_money(office):
    office.bank.answers.extend([POOR, answer("rejected")])
    office.bank.states.append(NOT_FOUND)
    for _ in range(2):
        office.ask(10)
    office.sweep()
    office.sweep(61)
    assert len(office.bank.orders) == 2
    assert ProviderCircuit.objects.get(currency="NGN").opened_at


def test_what_waits_for_our_money_can_be_cancelled(office):
    office.bank.answers.append(POOR)
    office.bank.states.append(NOT_FOUND)
    office.ask()
    office.later()
    assert office.http.post(f"withdrawals/{office.found().pk}/cancel").status == 200
    assert office.money == BACK


def test_after_a_day_of_it_a_person_must_look(office):
    office.bank.answers.extend([POOR] * 2)
    office.bank.states.append(NOT_FOUND)
    office.ask()
    office.later()
    found = office.later(25 * 3600)
    assert (found.status, found.failure_code, office.money) == ("in_review", "not_sent", HELD)


def test_what_failed_for_want_of_our_money_isnt_the_customers_fault(office):
    office.bank.states.append(said("failed", underfunded=True, detail="Insufficient funds in customer wallet"))
    office.ask()
    found = office.run("failed")
    assert (found.failure_code, office.money) == ("not_paid_by_us", BACK)
    assert "our side" in office.shown()["failure"]["detail"]
    assert ProviderCircuit.objects.get(currency="NGN").opened_at


@pytest.fixture
def finance(settings):
    settings.FINANCE_EMAILS = ["cfo@example.com"]


def test_finance_is_told_once_and_again_while_it_lasts(office, finance):
    office.bank.answers.extend([POOR] * 500)
    office.bank.states.append(NOT_FOUND)
    office.ask(300)
    office.ask(100)
    office.sweep()
    letters = []
    for hours in (0, 1, 4.9, 0.2, 1):
        office.sweep(hours * 3600)
        tasks.mail_shortages()
        letters.append(len(mail.outbox))
    assert letters == [1, 1, 1, 2, 2]
    letter = mail.outbox[0]
    assert (letter.to, letter.subject) == (["cfo@example.com"], "scripted holds too little NGN for our payouts")
    assert "2 withdrawals of NGN 4.00 in all wait at scripted" in letter.body
    assert "Your balance is not enough" in letter.body


def test_a_mail_about_it_that_fails_is_sent_later(office, finance, monkeypatch):
    office.bank.answers.append(POOR)
    office.bank.states.append(NOT_FOUND)
    office.ask()
    office.sweep()
    with monkeypatch.context() as patch:
        patch.setattr("wallets.finance.EmailMessage.send", lambda *_: 1 / 0)
        tasks.mail_shortages()
    assert ProviderCircuit.objects.get(currency="NGN").mailed_at is None
    tasks.mail_shortages()
    assert [letter.to for letter in mail.outbox] == [["cfo@example.com"]]


def test_a_provider_that_doesnt_answer_is_no_matter_for_finance(office, finance):
    fail_often(office)
    tasks.mail_shortages()
    assert mail.outbox == []


def test_to_be_told_to_come_later_opens_nothing(office):
    fail_often(office, breaker.THRESHOLD + 1, answer("not_sent", retry_after=600.0))
    assert not ProviderCircuit.objects.exists()


def counted(name, **labels):
    return metrics.COUNTED.get_sample_value(name, {"provider": "scripted", **labels}) or 0.0


def circuit_state(currency=""):
    return counted("wallet_provider_circuit", currency=currency)


def test_what_a_provider_does_to_orders_is_counted(office):
    unknown, retries = (
        counted("wallet_payout_outcomes_total", outcome="unknown"),
        counted("wallet_payout_retries_total"),
    )
    fail_often(office)
    assert counted("wallet_payout_outcomes_total", outcome="unknown") == unknown + breaker.THRESHOLD
    assert circuit_state() == metrics.CIRCUIT["open"]
    office.bank.answers.append(answer("not_sent"))
    office.ask(10)
    office.sweep(60)
    assert circuit_state() in (metrics.CIRCUIT["half_open"], metrics.CIRCUIT["open"])
    office.bank.answers.append(answer("accepted"))
    for _ in range(10):
        office.sweep(120)
    assert circuit_state() == metrics.CIRCUIT["closed"]
    assert counted("wallet_payout_retries_total") > retries


def test_a_payout_that_is_said_to_be_paid_twice_settles_once(committed, office, sade):
    office.bank.states.extend([said("succeeded"), said("failed", 399)])
    office.ask()
    office.run("completed")
    settled = counted("wallet_payout_settle_seconds_count")
    assert settled >= 1
    office.later(3_600)
    assert office.found().status == "in_review"
    review.settle_as_paid(office.found().pk, actor=sade.user, reason="It is on their list.", now=office.now)
    assert (office.found().status, office.money) == ("completed", GONE)
    assert counted("wallet_payout_settle_seconds_count") == settled
