"""Withdrawals in the back office: their history, the buttons that a state and a permission allow, and the rules."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from users.models import AuditEvent, User
from wallets.models import ApprovalRule, FeeRule, PayoutPause, Proposal, ProviderCircuit, Withdrawal
from wallets.proposals.decide import digest
from wallets.tests.payouts import BACK, GONE, HELD
from wallets.tests.scripted import SILENCE, UNKNOWN, answer, said

BUTTONS = ("approve", "reject", "settle-as-paid", "give-back", "retry", "ask-again")


def clerk(*permissions, email="clerk@example.com"):
    """A browser in which somebody of the staff has logged in, who may do this and no more."""
    user = User.objects.create_user(email, "a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


ALL = ("view_withdrawal", "approve_withdrawal", "review_withdrawal", "ask_review", "view_proposal")


def page(client, withdrawal):
    response = client.get(reverse("admin:wallets_withdrawal_change", args=[withdrawal.pk]))
    assert response.status_code == 200
    return response.content.decode()


def figures(client, withdrawal):
    """The titles of the numbers above a withdrawal's page."""
    response = client.get(reverse("admin:wallets_withdrawal_change", args=[withdrawal.pk]))
    return [figure.title for figure in response.context["figures"]]


def press(client, withdrawal, button, **data):
    url = f"/admin/wallets/withdrawal/{withdrawal.pk}/{button}/"
    return client.post(url, {"_form_submitted": "on", **data}) if data else client.get(url)


def buttons(client, withdrawal):
    shown = page(client, withdrawal)
    return [name for name in BUTTONS if f"{withdrawal.pk}/{name}/" in shown]


def second_person(*permissions):
    """A browser of somebody else, who may decide what was asked for."""
    return clerk("view_proposal", *permissions, email="second@example.com")


def approve_asked(client, **data):
    """Approve what was asked for last, as its page shows it."""
    proposal = Proposal.objects.latest("id")
    url = f"/admin/wallets/proposal/{proposal.pk}/approve/"
    return client.post(url, {"_form_submitted": "on", "seen": digest(proposal), "reason": "Seen.", **data})


@pytest.fixture
def awaiting(office):
    ApprovalRule.objects.create(currency="NGN", kind="amount", threshold=100)
    office.ask()
    return office


def test_the_page_tells_the_history_and_the_banks_words(office):
    office.bank.answers.append(answer("accepted", raw={"status": "<pending>"}))
    office.ask()
    found = office.run("completed")
    shown = page(clerk("view_withdrawal"), found)
    for words in ("Asked for, and the money held.", "The bank took the order.", "The bank paid.", "&lt;pending&gt;"):
        assert words in shown


def test_buttons_are_there_as_state_and_permission_allow(awaiting, sade):
    chief, viewer = clerk(*ALL), clerk("view_withdrawal", email="viewer@example.com")
    assert (buttons(chief, awaiting.found()), buttons(viewer, awaiting.found())) == (["approve", "reject"], [])
    press(chief, awaiting.found(), "approve", reason="Known.")
    assert buttons(chief, awaiting.found()) == []
    awaiting.bank.answers.append(UNKNOWN)
    awaiting.bank.states.append(SILENCE)
    awaiting.run("in_review")
    chief.force_login(User.objects.get(email="clerk@example.com"))
    assert buttons(chief, awaiting.found()) == ["settle-as-paid", "give-back", "ask-again"]


def test_the_history_tells_by_name_who_did_what(awaiting):
    press(clerk(*ALL), awaiting.found(), "reject", reason="Never heard of them.")
    shown = page(clerk("view_withdrawal", email="viewer@example.com"), awaiting.found())
    assert ">clerk@example.com</a>" in shown
    assert f">{awaiting.alice.user.email}</a>" in shown


def test_looking_at_a_button_does_nothing_and_a_reason_is_needed(awaiting):
    chief = clerk(*ALL)
    assert b"reason" in press(chief, awaiting.found(), "approve").content
    assert press(chief, awaiting.found(), "approve", reason="").status_code == 200
    assert (awaiting.found().status, awaiting.money) == ("awaiting_approval", HELD)


def test_a_second_person_approves(awaiting):
    pressed = press(clerk(*ALL), awaiting.found(), "approve", reason="They called.")
    assert pressed["HX-Redirect"] == reverse("admin:wallets_withdrawal_change", args=[awaiting.found().pk])
    assert awaiting.found().status == "pending"
    assert "They called." in awaiting.found().steps.latest("id").what


def test_a_second_person_rejects(awaiting):
    press(clerk(*ALL), awaiting.found(), "reject", reason="Never heard of them.")
    assert (awaiting.found().status, awaiting.money) == ("cancelled", BACK)


def test_who_asked_for_it_is_told_that_they_cant_approve_it(awaiting):
    own = clerk(*ALL)
    user = User.objects.get(email="clerk@example.com")
    Withdrawal.objects.update(created_by=f"person:{user.pk}")
    press(own, awaiting.found(), "approve", reason="It's fine.")
    assert "somebody else must approve it" in page(own, awaiting.found())
    assert (awaiting.found().status, awaiting.money) == ("awaiting_approval", HELD)


@pytest.mark.parametrize("button", BUTTONS)
@pytest.mark.parametrize("permissions", [("view_withdrawal",), ("change_withdrawal",), ()])
def test_nobody_does_what_they_have_no_permission_for(awaiting, button, permissions):
    assert press(clerk(*permissions), awaiting.found(), button, reason="Please.").status_code == 403
    assert (awaiting.found().status, awaiting.money) == ("awaiting_approval", HELD)


def test_a_deed_that_came_too_late_is_told(awaiting):
    chief = clerk(*ALL)
    press(chief, awaiting.found(), "reject", reason="No.")
    press(chief, awaiting.found(), "approve", reason="Yes.")
    assert "it doesn’t wait for approval" in page(chief, awaiting.found()).replace("&#x27;", "’")
    assert (awaiting.found().status, awaiting.money) == ("cancelled", BACK)


def test_the_bank_is_asked_at_the_press_of_a_button(office):
    office.bank.states.append(said("pending"))
    office.ask()
    office.later()
    office.bank.states[0] = said("succeeded")
    press(clerk(*ALL), office.found(), "ask-again", reason="They want to know.")
    assert office.later().status == "completed"


@pytest.fixture
def in_review(office):
    """A withdrawal of whose order nothing is heard any more."""
    office.bank.answers.append(UNKNOWN)
    office.bank.states.append(SILENCE)
    office.ask()
    office.run("in_review")
    return office


@pytest.mark.parametrize(
    ("button", "status", "money"), [("settle-as-paid", "completed", GONE), ("give-back", "failed", BACK)]
)
def test_what_is_in_review_is_settled_by_two(in_review, button, status, money):
    first = clerk(*ALL)
    asked = press(first, in_review.found(), button, reason="It says so on their list.")
    assert asked["HX-Redirect"] == reverse("admin:wallets_proposal_change", args=[Proposal.objects.get().pk])
    approve_asked(first)
    assert in_review.found().status == "in_review"
    approve_asked(second_person("decide_review"))
    assert (in_review.found().status, in_review.money) == (status, money)
    assert "It says so on their list." in in_review.found().steps.latest("id").what


def test_what_failed_is_tried_again_by_two(in_review):
    first, second = clerk(*ALL), second_person("decide_review")
    press(first, in_review.found(), "give-back", reason="They know nothing.")
    approve_asked(second)
    assert buttons(first, in_review.found()) == ["retry", "ask-again"]
    press(first, in_review.found(), "retry", reason="Their system was down.")
    approve_asked(second)
    assert (in_review.found().status, in_review.money) == ("pending", HELD)


def test_nothing_is_tried_again_with_money_that_has_been_spent(in_review):
    first, second = clerk(*ALL), second_person("decide_review")
    press(first, in_review.found(), "give-back", reason="They know nothing.")
    approve_asked(second)
    Withdrawal.objects.update(amount=1_001)
    press(first, in_review.found(), "retry", reason="Their system was down.")
    told = second.get(approve_asked(second)["HX-Redirect"]).content.decode()
    assert "1001 was asked for" in told
    assert (in_review.found().status, in_review.money) == ("failed", BACK)


def test_what_was_taken_is_told_once_it_was(in_review):
    chief = clerk(*ALL)
    assert ("Held" in figures(chief, in_review.found()), "Taken" in figures(chief, in_review.found())) == (True, False)
    press(chief, in_review.found(), "settle-as-paid", reason="It says so on their list.")
    approve_asked(second_person("decide_review"))
    assert "Taken" in figures(chief, in_review.found())


@pytest.mark.parametrize("status", Withdrawal.Status.values)
def test_withdrawals_are_listed_by_status(office, status):
    office.ask()
    listed = clerk("view_withdrawal").get(reverse("admin:wallets_withdrawal_changelist"), {"status": status})
    assert (str(office.found().pk) in listed.content.decode()) == (status == "pending")


# --- Rules and switches ------------------------------------------------------------------------------------------

RULE = {
    "currency": "ngn", "provider": "", "flat": "50", "basis_points": "150", "minimum": "", "maximum": "900",
    "reason": "Their prices rose.",
}  # fmt: skip


def test_a_rule_is_written_changed_and_removed_by_two_with_its_trail(office):
    first, second = clerk("view_feerule", "ask_rule", "view_proposal"), second_person("decide_rule")
    asked = first.post(reverse("admin:wallets_feerule_add"), RULE)
    assert asked["Location"] == reverse("admin:wallets_proposal_change", args=[Proposal.objects.get().pk])
    assert not FeeRule.objects.exists()
    approve_asked(second)
    rule = FeeRule.objects.get()
    assert (rule.currency, rule.flat, rule.basis_points, rule.minimum, rule.maximum) == ("NGN", 50, 150, None, 900)
    first.post(reverse("admin:wallets_feerule_change", args=[rule.pk]), RULE | {"flat": "60"})
    assert "Change the fee rule" in first.get(reverse("admin:wallets_proposal_changelist")).content.decode()
    approve_asked(second)
    assert office.ask().body["fee"] == 66
    first.post(f"/admin/wallets/feerule/{rule.pk}/remove/", {"_form_submitted": "on", "reason": "Free again."})
    approve_asked(second)
    assert not FeeRule.objects.exists()
    trail = AuditEvent.objects.filter(object_kind="fee_rule").order_by("id").values_list("action", flat=True)
    assert list(trail) == ["fee_rule.added", "fee_rule.changed", "fee_rule.removed"]


def test_a_rules_page_offers_what_the_person_may(office):
    rule = FeeRule.objects.create(currency="NGN", flat=50)
    change, remove = reverse("admin:wallets_feerule_change", args=[rule.pk]), f"feerule/{rule.pk}/remove/"
    chief = clerk("view_feerule", "ask_rule")
    viewer = clerk("view_feerule", email="viewer@example.com")
    assert 'name="_save"' in chief.get(reverse("admin:wallets_feerule_add")).content.decode()
    for client, may in ((chief, True), (viewer, False)):
        shown = client.get(change).content.decode()
        assert ('name="_save"' in shown, remove in shown) == (may, may)


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "XXY"}, {"provider": "nobody"}, {"flat": "-1"}, {"basis_points": "10001"},
        {"minimum": "901"}, {"maximum": "-1"}, {"flat": "1.5"}, {"reason": ""},
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(office, wrong):
    chief = clerk("view_feerule", "ask_rule")
    assert chief.post(reverse("admin:wallets_feerule_add"), RULE | wrong).status_code == 200
    assert not Proposal.objects.exists()


def test_rules_are_asked_for_by_those_who_may(office):
    for name in ("feerule", "withdrawallimit", "approvalrule"):
        viewer = clerk(f"view_{name}", f"add_{name}", f"change_{name}", email=f"{name}@example.com")
        assert viewer.get(reverse(f"admin:wallets_{name}_changelist")).status_code == 200
        assert viewer.post(reverse(f"admin:wallets_{name}_add"), RULE).status_code == 403
    assert not Proposal.objects.exists()


def test_pauses_and_circuits_are_shown(office):
    PayoutPause.objects.create(provider="*", reason="On fire.", paused_by="system:x", paused_at=office.now)
    ProviderCircuit.objects.create(
        provider="scripted", failures=5, opened_at=office.now, retry_at=office.now, reason="HTTP 503",
        updated_at=office.now,
    )  # fmt: skip
    viewer = clerk("view_payoutpause", "view_providercircuit")
    assert "On fire." in viewer.get(reverse("admin:wallets_payoutpause_changelist")).content.decode()
    assert "HTTP 503" in viewer.get(reverse("admin:wallets_providercircuit_changelist")).content.decode()
