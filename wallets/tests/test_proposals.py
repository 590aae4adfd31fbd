"""What needs two people: one asks, another decides, and PostgreSQL refuses that they be the same."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, IntegrityError, transaction

from ledger.decision import InsufficientFunds
from users.models import AuditEvent, User
from users.permissions import PermissionDenied
from users.validation import ValidationError
from wallets import chart
from wallets.access import WalletClosed
from wallets.models import FeeRule, Proposal, UnmatchedReceipt, Wallet
from wallets.opening import InvalidState
from wallets.proposals import decide
from wallets.proposals.accounts import OpenAccount
from wallets.proposals.ask import ask
from wallets.proposals.bank_accounts import BankAccountBlock
from wallets.proposals.journals import Journal, JournalLeg
from wallets.proposals.receipts import ReceiptDecision
from wallets.proposals.reversals import Reversal
from wallets.proposals.reviews import Review
from wallets.proposals.roles import StaffRoles
from wallets.proposals.rules import RuleChange
from wallets.proposals.wallets import CreditLimit, Freeze
from wallets.tests.conftest import balance, books_are_clean
from wallets.tests.scripted import said
from wallets.tests.test_once import at_once
from wallets.topups import receipts
from wallets.topups.payments import Payment

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def staff(name: str, *roles: str) -> User:
    user = User.objects.create_user(f"{name}@example.com", "a long password", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


@pytest.fixture
def ada(database):
    """Ada keeps the books and works on what came in: she asks."""
    return staff("ada", "accountant", "operator", "admin")


@pytest.fixture
def ben(database):
    """Ben decides."""
    return staff("ben", "approver", "admin")


def asked(deed, by, now=NOW):
    return ask(deed, actor=by, reason="Because.", now=now)


def approve(proposal, by, now=NOW, seen=None):
    found = Proposal.objects.get(pk=proposal.pk)
    decide.approve(proposal.pk, actor=by, seen=seen or decide.digest(found), reason="Looks right.", now=now)


def journal(wallet, amount=250, **more):
    legs = (
        JournalLeg("income:fees:NGN", debit=amount),
        JournalLeg(f"liabilities:wallets:{wallet.pk}", credit=amount),
    )
    return Journal(legs, "Goodwill", **more)


def test_a_journal_is_posted_when_a_second_person_approves_it(alice, purse, ada, ben):
    proposal = asked(journal(purse, effective_on=date(2029, 12, 31), attachments=("memo-7",)), ada)
    assert balance(alice.http, purse)[0] == 1_000
    approve(proposal, ben)
    assert balance(alice.http, purse)[0] == 1_250
    (newest, *_) = alice.http.get(f"wallets/{purse.pk}/transactions").body["results"]
    assert (newest["type"], newest["amount"], newest["description"]) == ("adjustment", 250, "Goodwill")
    assert newest["effective_at"] == "2029-12-31T00:00:00Z"
    trail = AuditEvent.objects.filter(object_kind="proposal", object_id=str(proposal.pk)).order_by("id")
    assert [(event.action, event.actor_id) for event in trail] == [
        ("proposal.asked", str(ada.pk)), ("proposal.approved", str(ben.pk)),
    ]  # fmt: skip
    assert books_are_clean()


@pytest.mark.parametrize(
    ("legs", "wrong"),
    [
        ([("income:fees:NGN", 5, 0)], "too_few"),
        ([("income:fees:NGN", 5, 0), ("income:fees:NGN", 0, 4)], "unbalanced"),
        ([("income:fees:NGN", 5, 0), ("income:nothing:NGN", 0, 5)], "unknown"),
        ([("income:fees:NGN", 5, 5), ("income:fees:NGN", 0, 0)], "invalid"),
        ([("income:fees:NGN", -5, 0), ("income:fees:NGN", 0, -5)], "invalid"),
        ([("income:fees:NGN", 5, 0), ("income:fees:USD", 0, 5)], "currencies"),
        ([("income:fees:NGN", 10**15 + 1, 0), ("income:fees:NGN", 0, 10**15 + 1)], "invalid"),
    ],
)
def test_a_journal_that_cant_be_posted_cant_be_asked_for(alice, purse, ada, legs, wrong):
    alice.open("USD")
    with pytest.raises(ValidationError) as refused:
        asked(Journal(tuple(JournalLeg(*leg) for leg in legs), "Odd"), ada)
    assert wrong in [error["code"] for error in refused.value.errors]
    assert not Proposal.objects.exists()


def test_whoever_asked_cant_decide_superusers_included(alice, purse, ben):
    boss = User.objects.create_superuser("boss@example.com", "a long password")
    proposal = asked(journal(purse), boss)
    for deed in (lambda: approve(proposal, boss), lambda: decide.reject(proposal.pk, actor=boss, reason="No", now=NOW)):
        with pytest.raises(PermissionDenied):
            deed()
    assert (Proposal.objects.get().status, balance(alice.http, purse)[0]) == ("open", 1_000)
    approve(proposal, ben)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE wallets_proposal SET status = 'approved', decided_by_id = requested_by_id, decided_at = now()",
        "UPDATE wallets_proposal SET status = 'rejected', decided_by_id = requested_by_id, decided_at = now()",
        "UPDATE wallets_proposal SET status = 'withdrawn', decided_by_id = '{ben}', decided_at = now()",
        "UPDATE wallets_proposal SET status = 'approved'",
        "UPDATE wallets_proposal SET requested_by_id = '{ben}'",
        "UPDATE wallets_proposal SET content = '{{}}'",
        "UPDATE wallets_proposal SET expires_at = now() + interval '9 years'",
        "DELETE FROM wallets_proposal",
    ],
)
def test_the_database_refuses(purse, ada, ben, attack):
    asked(journal(purse), ada)
    with pytest.raises(DatabaseError), transaction.atomic():
        Proposal.objects.raw(attack.format(ben=ben.pk))._fetch_all()
    assert Proposal.objects.get().status == "open"


def test_what_was_decided_stays_decided(purse, ada, ben):
    proposal = asked(journal(purse), ada)
    decide.reject(proposal.pk, actor=ben, reason="Whose idea was this?", now=NOW)
    for deed in (lambda: approve(proposal, ben), lambda: decide.withdraw(proposal.pk, actor=ada, reason="", now=NOW)):
        with pytest.raises(InvalidState, match="rejected before"):
            deed()
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.update(status="open", decided_by=None, decided_at=None)


def test_an_approval_holds_for_what_was_seen_and_in_time(alice, purse, ada, ben):
    proposal = asked(journal(purse), ada)
    with pytest.raises(InvalidState, match="shown"):
        approve(proposal, ben, seen="0" * 64)
    with pytest.raises(InvalidState, match="expired"):
        approve(proposal, ben, now=NOW + timedelta(hours=72))
    assert balance(alice.http, purse)[0] == 1_000


def test_what_it_rests_on_must_be_as_it_was(purse, ada, ben):
    first, second = (asked(CreditLimit(purse.pk, limit), ada) for limit in (500, 800))
    approve(first, ben)
    with pytest.raises(InvalidState, match="changed since"):
        approve(second, ben)


def test_only_whoever_asked_takes_it_back(purse, ada, ben):
    proposal = asked(journal(purse), ada)
    with pytest.raises(PermissionDenied):
        decide.withdraw(proposal.pk, actor=ben, reason="", now=NOW)
    decide.withdraw(proposal.pk, actor=ada, reason="A typo.", now=NOW)
    assert Proposal.objects.get().status == "withdrawn"


def test_who_may_ask_and_decide_is_a_matter_of_roles(purse, ada, ben):
    with pytest.raises(PermissionDenied):
        asked(journal(purse), ben)
    proposal = asked(journal(purse), ada)
    with pytest.raises(PermissionDenied):
        approve(proposal, staff("carl", "accountant", "auditor", "viewer", "operator"))
    assert Proposal.objects.get().status == "open"


def test_a_refusal_of_the_books_leaves_it_open(alice, bob, purse, bobs, ada, ben):
    sent = alice.http.post("transfers", {"source": str(purse.pk), "destination": str(bobs.pk), "amount": 1_000}).body
    bob.http.post("transfers", {"source": str(bobs.pk), "destination": str(purse.pk), "amount": 600})
    proposal = asked(Reversal(sent["transaction"]), ada)
    with pytest.raises(InsufficientFunds):
        approve(proposal, ben)
    assert (Proposal.objects.get().status, balance(bob.http, bobs)[0]) == ("open", 400)
    alice.http.post("transfers", {"source": str(purse.pk), "destination": str(bobs.pk), "amount": 600})
    approve(proposal, ben)
    assert (balance(alice.http, purse)[0], balance(bob.http, bobs)[0]) == (1_000, 0)
    with pytest.raises(InvalidState, match="reversed already"):
        asked(Reversal(sent["transaction"]), ada)


def test_a_deposit_that_isnt_released_is_reversed_with_what_waits_of_it(alice, purse, shop, ada, ben):
    made = shop.fund(purse, 300, release_at="2999-01-01T00:00:00Z")
    assert balance(alice.http, purse) == (1_300, 0, 300, 1_000)
    approve(asked(Reversal(made["transaction"]), ada), ben)
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)
    assert books_are_clean()


def test_a_wallet_is_frozen_and_thawed(alice, purse, ada, ben):
    for frozen, status in ((True, "frozen"), (False, "active")):
        approve(asked(Freeze(purse.pk, frozen), ada), ben)
        assert alice.http.get(f"wallets/{purse.pk}").body["status"] == status
        with pytest.raises(InvalidState, match="already"):
            asked(Freeze(purse.pk, frozen), ada)


def test_a_credit_limit_lends_and_cant_be_taken_back_while_it_is_used(alice, purse, bobs, ada, ben):
    approve(asked(CreditLimit(purse.pk, 500), ada), ben)
    order = {"source": str(purse.pk), "destination": str(bobs.pk), "amount": 1_400}
    assert alice.http.post("transfers", order).status == 201
    assert balance(alice.http, purse)[0] == -400
    proposal = asked(CreditLimit(purse.pk, 0), ada)
    with pytest.raises(InvalidState, match="overdrawn"):
        approve(proposal, ben)
    assert alice.http.post("transfers", order | {"amount": 101}).code == "insufficient_funds"


def test_rules_are_added_changed_and_removed(ada, ben, database):
    approve(asked(RuleChange("feerule", None, {"currency": "NGN", "flat": 50}), ada), ben)
    rule = FeeRule.objects.get()
    approve(asked(RuleChange("feerule", rule.pk, {"flat": 70}), ada), ben)
    assert FeeRule.objects.get().flat == 70
    with pytest.raises(ValidationError):
        asked(RuleChange("feerule", rule.pk, {"flat": -1}), ada)
    approve(asked(RuleChange("feerule", rule.pk, None), ada), ben)
    assert not FeeRule.objects.exists()


@pytest.fixture
def receipt(purse):
    """2,000 that came from nobody knows whom."""
    payment = Payment("sandbox", "pay-1", "unknown-1", 2_000, "NGN", Decimal(0), "")
    with transaction.atomic():
        assert receipts.keep(payment, UnmatchedReceipt.Reason.UNANNOUNCED, None, now=NOW)
    return UnmatchedReceipt.objects.get()


def test_a_receipt_is_given_to_a_wallet(alice, purse, receipt, ada, ben):
    approve(asked(ReceiptDecision(receipt.pk, purse.pk), ada), ben)
    assert balance(alice.http, purse)[0] == 3_000
    with pytest.raises(InvalidState):
        asked(ReceiptDecision(receipt.pk), ada)
    assert books_are_clean()


def test_a_receipt_is_written_off(receipt, ada, ben):
    approve(asked(ReceiptDecision(receipt.pk), ada), ben)
    found = UnmatchedReceipt.objects.get()
    assert (found.wallet, found.assignment.reference) == (None, f"receipt:{receipt.pk}:written-off")
    assert chart.write_offs("NGN").code in [entry.account.code for entry in found.assignment.entries.all()]
    assert books_are_clean()


def test_a_withdrawal_in_review_is_settled(office, ada, ben):
    office.bank.states.append(said("succeeded", 1))
    office.ask()
    office.run("in_review")
    proposal = asked(Review(office.found().pk, "paid"), ada, office.now)
    assert office.found().status == "in_review"
    approve(proposal, ben, office.now)
    assert (office.found().status, office.money) == ("completed", (600, 0))
    with pytest.raises(InvalidState, match="completed"):
        asked(Review(office.found().pk, "not_paid"), ada, office.now)


def test_nothing_is_paid_to_a_blocked_bank_account_whoever_adds_it(office, bob, ada, ben):
    office.bank.states.append(said("pending"))
    office.ask(300)
    account = office.account()
    approve(asked(BankAccountBlock(account["id"], True), ada, office.now), ben, office.now)
    assert office.ask(100).code == "invalid_state"
    office.sweep(60)
    assert office.bank.orders == []
    approve(asked(BankAccountBlock(account["id"], False), ada, office.now), ben, office.now)
    office.sweep(60)
    assert len(office.bank.orders) == 1


def test_roles_are_given_by_two(ada, ben, alice):
    approve(asked(StaffRoles(alice.user.pk, ("viewer", "operator")), ada), ben)
    alice.user.refresh_from_db()
    assert alice.user.is_staff
    assert sorted(group.name for group in alice.user.groups.all()) == ["operator", "viewer"]
    approve(asked(StaffRoles(alice.user.pk, ()), ada), ben)
    alice.user.refresh_from_db()
    assert not alice.user.is_staff
    with pytest.raises(ValidationError):
        asked(StaffRoles(alice.user.pk, ("emperor",)), ada)


def test_nothing_is_asked_of_a_closed_wallet_or_of_none(alice, ada, database):
    empty = alice.open()
    alice.http.post(f"wallets/{empty.pk}/close")
    for deed in (Freeze(empty.pk, True), CreditLimit(empty.pk, 5), journal(Wallet.objects.get(pk=empty.pk))):
        with pytest.raises(WalletClosed):
            asked(deed, ada)
    with pytest.raises(Exception, match="no such wallet"):
        asked(Freeze(uuid4(), True), ada)


def test_of_many_who_approve_at_once_one_does(committed, alice, purse, ada):
    approvers = [staff(f"approver{number}", "approver") for number in range(4)]
    proposal = asked(journal(purse), ada)

    def work(number):
        try:
            approve(proposal, approvers[number])
        except InvalidState:
            return False
        return True

    assert sum(at_once(4, work)) == 1
    assert balance(alice.http, purse)[0] == 1_250


@pytest.mark.parametrize(
    "code", ["goodwill", "things:goodwill:NGN", "expenses:goodwill:XXY", "expenses:Goodwill:NGN", "expenses:NGN",
             "liabilities:wallets:5:NGN", "expenses:goodwill:NGN;drop", "expenses::NGN"],
)  # fmt: skip
def test_an_account_has_a_code_that_says_what_it_is(ada, code):
    with pytest.raises(ValidationError):
        asked(OpenAccount(code), ada)


def test_an_account_is_opened_once_and_can_be_posted_to(purse, alice, ada, ben):
    approve(asked(OpenAccount("expenses:goodwill:NGN", "Goodwill"), ada), ben)
    with pytest.raises(InvalidState):
        asked(OpenAccount("expenses:goodwill:NGN"), ada)
    legs = (
        JournalLeg("expenses:goodwill:NGN", debit=5),
        JournalLeg(f"liabilities:wallets:{purse.pk}", credit=5),
    )
    approve(asked(Journal(legs, "Sorry"), ada), ben)
    assert balance(alice.http, purse)[0] == 1_005
