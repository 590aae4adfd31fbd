"""Fees, limits and approvals: what staff have ruled, and that nobody gets past it. A refusal moves nothing."""

import pytest
from django.db import IntegrityError, transaction

from ledger import sql
from users.models import AuditEvent, User
from users.permissions import PermissionDenied
from wallets import keeping
from wallets.models import ApprovalRule, BankAccount, FeeRule, Wallet, Withdrawal, WithdrawalLimit
from wallets.opening import InvalidState
from wallets.tests.conftest import balance
from wallets.tests.payouts import BACK, GONE, HELD, books_are_clean
from wallets.tests.scripted import said
from wallets.tests.test_withdrawals import bank_account
from wallets.withdrawals import approve, failures
from wallets.withdrawals.rules import Fee, rounded_up


@pytest.mark.parametrize(
    ("amount", "basis_points", "fee"),
    [(10_000, 100, 100), (10_001, 100, 101), (1, 1, 1), (0, 100, 0), (10**15, 10_000, 10**15), (9_999, 0, 0)],
)
def test_a_part_is_rounded_up(amount, basis_points, fee):
    assert rounded_up(amount, basis_points) == fee


@pytest.mark.parametrize(
    ("fee", "amount", "costs"),
    [
        (Fee(50, 0), 400, 50), (Fee(50, 150), 400, 56), (Fee(0, 150), 401, 7), (Fee(0, 100, minimum=30), 400, 30),
        (Fee(50, 1_000, maximum=60), 400, 60), (Fee(0, 0, maximum=0), 400, 0),
    ],
)  # fmt: skip
def test_what_a_withdrawal_costs(fee, amount, costs):
    assert fee.of(amount) == costs


def test_a_fee_is_held_with_the_amount_and_taken_with_the_payout(office):
    FeeRule.objects.create(currency="NGN", flat=10, basis_points=100)
    asked = office.ask().body
    assert (asked["amount"], asked["fee"], office.money) == (400, 14, (1_000, 414))
    found = office.run("completed")
    assert office.money == (586, 0)
    legs = sql.rows(
        "SELECT amount FROM ledger_entry WHERE transaction_id = %s ORDER BY amount", (found.transaction_id,)
    )
    assert legs == [(-400,), (-14,), (414,)]
    assert office.bank.orders[0].amount == 400
    assert books_are_clean()


def test_a_fee_comes_back_with_what_the_bank_returns(office):
    FeeRule.objects.create(currency="NGN", flat=10)
    office.ask()
    office.run("completed")
    office.bank.states.append(said("reversed"))
    office.run("returned", hours=2)
    assert office.money == BACK
    assert books_are_clean()


def test_a_providers_own_fee_goes_before_that_for_any(office):
    FeeRule.objects.create(currency="NGN", flat=10)
    FeeRule.objects.create(currency="NGN", provider="scripted", flat=3)
    FeeRule.objects.create(currency="NGN", provider="other", flat=99)
    assert office.ask().body["fee"] == 3


def test_the_fee_must_be_there_too(office):
    FeeRule.objects.create(currency="NGN", flat=1)
    assert office.ask(1_000).code == "insufficient_funds"
    assert office.ask(999).status == 202


def test_a_fee_never_makes_a_defect_of_a_large_amount(office):
    FeeRule.objects.create(currency="NGN", flat=1)
    assert office.ask(10**15).code == "amount_too_large"
    assert office.money == BACK


@pytest.mark.parametrize(
    ("scope", "window", "first", "second", "used"),
    [
        ("wallet", "single", 300, 301, 0), ("user", "single", 300, 301, 0),
        ("wallet", "day", 200, 101, 200), ("user", "day", 200, 101, 200),
    ],
)  # fmt: skip
def test_a_limit_is_kept_to_the_unit(office, scope, window, first, second, used):
    WithdrawalLimit.objects.create(currency="NGN", scope=scope, window=window, amount=300)
    assert office.ask(first).status == 202
    before = office.money
    refused = office.ask(second, key="over")
    assert (refused.status, refused.code) == (422, "limit_exceeded")
    assert (refused.body["limit"], refused.body["used"], refused.body["scope"]) == (300, used, scope)
    assert (office.money, Withdrawal.objects.count()) == (before, 1)
    if window == "day":
        assert office.ask(second - 1).status == 202
        assert office.ask(second, key="over").headers["Idempotent-Replayed"] == "true"


def test_what_came_back_doesnt_count(office):
    WithdrawalLimit.objects.create(currency="NGN", scope="user", window="day", amount=400)
    office.bank.states.append(said("failed"))
    office.ask()
    office.run("failed")
    assert office.ask().status == 202


def test_a_new_day_begins_at_midnight_in_utc(office):
    WithdrawalLimit.objects.create(currency="NGN", scope="wallet", window="day", amount=400)
    office.ask()
    assert office.ask(1).code == "limit_exceeded"
    office.sweep(12 * 3600 - 1)
    assert office.ask(1).code == "limit_exceeded"
    office.sweep(1)
    assert office.ask(1).status == 202


def test_an_owners_limit_spans_their_wallets_and_a_wallets_doesnt(office, shop):
    other = office.alice.open()
    shop.fund(other, 1_000)
    rule = WithdrawalLimit.objects.create(currency="NGN", scope="user", window="day", amount=400)
    office.ask()
    body = {"amount": 1, "bank_account": office.account()["id"]}
    assert office.http.post(f"wallets/{other.id}/withdrawals", body).code == "limit_exceeded"
    WithdrawalLimit.objects.filter(pk=rule.pk).update(scope="wallet")
    assert office.http.post(f"wallets/{other.id}/withdrawals", body).status == 202


# --- A second person ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "threshold", "amounts", "statuses"),
    [
        ("amount", 300, [300, 301], ["pending", "awaiting_approval"]),
        ("daily_sum", 300, [300, 1], ["pending", "awaiting_approval"]),
        ("first_use", 0, [5, 5], ["awaiting_approval", "awaiting_approval"]),
        ("first_use", 10, [10, 11], ["pending", "awaiting_approval"]),
    ],
)
def test_above_a_threshold_a_second_person_must_approve(office, kind, threshold, amounts, statuses):
    ApprovalRule.objects.create(currency="NGN", kind=kind, threshold=threshold)
    assert [office.ask(amount).body["status"] for amount in amounts] == statuses
    office.sweep()
    assert len(office.bank.orders) == statuses.count("pending"), "the bank hears of nothing that awaits approval"


def test_a_bank_account_that_was_paid_needs_no_approval_again(office):
    office.ask(5)
    office.run("completed")
    ApprovalRule.objects.create(currency="NGN", kind="first_use")
    assert office.ask(5).body["status"] == "pending"
    assert office.ask(5, number="9876543210").body["status"] == "awaiting_approval"


@pytest.fixture
def awaiting(office):
    ApprovalRule.objects.create(currency="NGN", kind="amount", threshold=100)
    office.ask()
    assert office.money == HELD
    return office


def test_what_is_approved_is_paid(awaiting, sade):
    approve.approve(awaiting.found().pk, actor=sade.user, reason="Known.", now=awaiting.now)
    awaiting.run("completed")
    assert awaiting.money == GONE
    assert awaiting.history()[:2] == [("", "awaiting_approval"), ("awaiting_approval", "pending")]
    trail = AuditEvent.objects.get(action="withdrawal.approved")
    assert (trail.actor_kind, trail.actor_id) == ("staff", str(sade.user.pk))


def test_what_is_rejected_is_given_back(awaiting, sade):
    approve.reject(awaiting.found().pk, actor=sade.user, reason="Call them first.", now=awaiting.now)
    shown = awaiting.shown()
    assert (shown["status"], shown["failure"]) == (
        "cancelled", {"code": "not_approved", "detail": failures.sentence("not_approved")},
    )  # fmt: skip
    assert awaiting.money == BACK
    awaiting.later(60)
    assert awaiting.bank.orders == []


def test_nobody_approves_what_they_asked_for(awaiting):
    User.objects.filter(pk=awaiting.alice.user.pk).update(is_staff=True)
    with pytest.raises(PermissionDenied):
        approve.approve(awaiting.found().pk, actor=awaiting.alice.user, reason="Known.", now=awaiting.now)
    assert (awaiting.found().status, awaiting.money) == ("awaiting_approval", HELD)


@pytest.mark.parametrize(
    ("changes", "law"),
    [
        ({"status": "pending", "approved_by": "alice"}, "four_eyes"),
        ({"status": "pending"}, "approved"),
        ({"status": "failed"}, "approved"),
    ],
)
def test_the_database_itself_refuses_it(awaiting, changes, law):
    changes = {**changes, "next_at": awaiting.now}
    if "approved_by" in changes:
        changes["approved_by"] = awaiting.found().created_by
    with pytest.raises(IntegrityError, match=f"wallets_withdrawal_{law}"), transaction.atomic():
        Withdrawal.objects.update(**changes)


def test_only_what_awaits_approval_is_approved_or_rejected(office, sade):
    office.ask()
    id = office.found().pk
    with pytest.raises(InvalidState):
        approve.approve(id, actor=sade.user, reason="Known.", now=office.now)
    with pytest.raises(InvalidState):
        approve.reject(id, actor=sade.user, reason="No.", now=office.now)
    assert (office.found().status, office.money) == ("pending", HELD)


def test_nothing_is_approved_out_of_a_frozen_wallet(awaiting, sade):
    from wallets.access import WalletFrozen

    Wallet.objects.update(status="frozen")
    with pytest.raises(WalletFrozen):
        approve.approve(awaiting.found().pk, actor=sade.user, reason="Known.", now=awaiting.now)
    assert (awaiting.found().status, awaiting.money) == ("awaiting_approval", HELD)


def test_each_change_of_a_rule_is_in_the_audit_trail(office, sade):
    rule = FeeRule(currency="NGN", flat=5)
    keeping.keep(rule, actor=sade.user, now=office.now)
    rule.flat = 7
    keeping.keep(rule, actor=sade.user, now=office.now)
    keeping.drop(rule, actor=sade.user, now=office.now)
    trail = AuditEvent.objects.filter(object_kind="fee_rule").order_by("id")
    assert [(event.action, event.data["flat"]) for event in trail] == [
        ("fee_rule.added", 5), ("fee_rule.changed", 7), ("fee_rule.removed", 7),
    ]  # fmt: skip
    assert not FeeRule.objects.exists()


def test_nothing_is_held_for_a_provider_that_isnt_in_use(alice, purse):
    account = bank_account(alice)
    BankAccount.objects.filter(pk=account["id"]).update(provider="gone")
    asked = alice.http.post(f"wallets/{purse.id}/withdrawals", {"amount": 400, "bank_account": account["id"]})
    assert (asked.status, asked.code) == (503, "provider_unavailable")
    assert asked.headers["Retry-After"]
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)
