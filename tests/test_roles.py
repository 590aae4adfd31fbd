"""Who may look at what, and do what: every page and every button of the back office against every role."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.urls import reverse

from users.models import User
from users.staff import ROLES
from walletproject import demo, roles

pytestmark = pytest.mark.usefixtures("demo_data")

EVERYBODY = set(ROLES)
RECONCILE = {"operator", "accountant"}
LOOK = {
    "users.apiclient": {"accountant", "auditor", "admin"},
    "users.auditevent": {"accountant", "auditor", "admin"},
}
# Every button, and whose it is: of a row's page, or of a list (which ends with /).
BUTTONS = {
    "ledger.account statement": EVERYBODY,
    "ledger.seal close_days/": {"accountant"},
    "ledger.transaction reverse": {"accountant"},
    "users.user set_roles": {"admin"},
    "wallets.bankaccount block": {"operator"},
    "wallets.bankaccount unblock": {"operator"},
    "wallets.approvalrule remove": {"accountant", "admin"},
    "wallets.feerule remove": {"accountant", "admin"},
    "wallets.withdrawallimit remove": {"accountant", "admin"},
    "wallets.break accept": RECONCILE,
    "wallets.break assign": RECONCILE,
    "wallets.break match_by_hand": RECONCILE,
    "wallets.break note": RECONCILE,
    "wallets.break post": RECONCILE,
    "wallets.break take": RECONCILE,
    "wallets.match unmatch": RECONCILE,
    "wallets.reconciledaccount reconcile": RECONCILE,
    "wallets.reconciledaccount upload": RECONCILE,
    "wallets.statement reconcile": RECONCILE,
    "wallets.statement upload/": RECONCILE,
    "wallets.proposal approve": {"approver", "admin"},
    "wallets.proposal reject": {"approver", "admin"},
    "wallets.proposal withdraw": {"operator", "accountant", "admin"},
    "wallets.proposal new_journal/": {"accountant"},
    "wallets.transfer give_up": {"operator"},
    "wallets.transfer try_again": {"operator"},
    "wallets.automatictopup stop": {"operator"},
    "wallets.automatictopup try_again": {"operator"},
    "wallets.meter new_meter/": {"accountant"},
    "wallets.meter new_price": {"accountant"},
    "wallets.meter take_into_use": {"accountant"},
    "wallets.meter take_out_of_use": {"accountant"},
    "wallets.meterprice end": {"accountant"},
    "wallets.quarantinedevent discard": RECONCILE,
    "wallets.quarantinedevent let_in": RECONCILE,
    "wallets.usageaccount add_threshold": {"operator"},
    "wallets.usageaccount remove_threshold": {"operator"},
    "wallets.usageaccount settle": {"operator"},
    "wallets.usagedifference dismiss": RECONCILE,
    "wallets.usagedifference repair": {"accountant"},
    "wallets.usagerecalculation count_again/": RECONCILE,
    "wallets.usagerecalculation stop": RECONCILE,
    "wallets.unmatchedreceipt assign": {"operator", "accountant"},
    "wallets.unmatchedreceipt write_off": {"operator", "accountant"},
    "wallets.wallet freeze": {"operator"},
    "wallets.wallet statement": EVERYBODY,
    "wallets.wallet set_credit_limit": {"accountant"},
    "wallets.wallet thaw": {"operator"},
    "wallets.withdrawal approve": {"approver"},
    "wallets.withdrawal ask_again": {"operator"},
    "wallets.withdrawal give_back": {"operator"},
    "wallets.withdrawal reject": {"approver"},
    "wallets.withdrawal retry": {"operator"},
    "wallets.withdrawal settle_as_paid": {"operator"},
}
# Pages on which something is written, and whose they are.
WRITE = {
    "wallets.approvalrule": {"accountant", "admin"},
    "wallets.columnmapping": {"accountant"},
    "wallets.feerule": {"accountant", "admin"},
    "wallets.matchrule": {"accountant"},
    "wallets.journaltemplate": {"accountant"},
    "wallets.withdrawallimit": {"accountant", "admin"},
}
PAGES = {
    "admin:index": EVERYBODY, "admin:reports": EVERYBODY, "admin:usage_accuracy": EVERYBODY,
    "admin:usage_streams": EVERYBODY,
}  # fmt: skip


@pytest.fixture(params=ROLES)
def person(request, demo_data):
    """Somebody in one role, logged in: the role and their browser."""
    user = User.objects.create_user("person@example.com", demo.PASSWORD, is_staff=True)
    user.groups.set([roles.Group.objects.get(name=request.param)])
    client = Client()
    client.force_login(user)
    return request.param, client


@pytest.fixture
def hardly_drawn(person, monkeypatch) -> None:
    """Who may see a page is known before it is drawn, which is half of the time: it is for two roles, of few rights
    and of many.
    """
    role, _ = person
    if role not in ("viewer", "accountant"):
        monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")


def models():
    return {model._meta.label_lower: page for model, page in admin.site._registry.items()}


def of_rows(page):
    """The buttons of a row's page, those in menus too."""
    for action in page.actions_detail:
        yield from action["items"] if isinstance(action, dict) else [action]


def button_urls():
    """Each button with its address, of the demo's first row."""
    for label, page in models().items():
        row = apps.get_model(label).objects.first()
        for action in of_rows(page):
            path = getattr(page, action).url_path
            yield f"{label} {action}", reverse(f"admin:{label.replace('.', '_')}_changelist") + f"{row.pk}/{path}/"
        for action in page.actions_list:
            path = getattr(page, action).url_path
            yield f"{label} {action}/", reverse(f"admin:{label.replace('.', '_')}_changelist") + f"{path}/"


def test_the_table_has_every_button():
    assert sorted(dict(button_urls())) == sorted(BUTTONS)


@pytest.mark.usefixtures("hardly_drawn")
def test_every_list_and_page_is_seen_by_those_who_may(person):
    role, client = person
    for label in models():
        row = apps.get_model(label).objects.first()
        for name, arguments in (("changelist", []), ("change", [row.pk])):
            answer = client.get(reverse(f"admin:{label.replace('.', '_')}_{name}", args=arguments))
            assert (answer.status_code == 200) == (role in LOOK.get(label, EVERYBODY)), (
                label,
                name,
                answer.status_code,
            )
    for name, whose in PAGES.items():
        assert (client.get(reverse(name)).status_code == 200) == (role in whose), name


@pytest.mark.usefixtures("hardly_drawn")
def test_every_button_is_pressed_by_those_who_may_and_refused_to_others(person):
    role, client = person
    for button, url in button_urls():
        answer = client.get(url, follow=True)
        assert (answer.status_code == 200) == (role in BUTTONS[button]), (button, answer.status_code)
        if role not in BUTTONS[button]:
            assert client.post(url, {"_form_submitted": "on", "reason": "Please."}).status_code == 403, button


def test_what_is_written_is_written_by_those_who_may(person):
    role, client = person
    for label in models():
        answer = client.get(reverse(f"admin:{label.replace('.', '_')}_add"))
        assert (answer.status_code == 200) == (role in WRITE.get(label, set())), (label, answer.status_code)


def test_a_sidebar_shows_what_may_be_looked_at(person):
    role, client = person
    shown = client.get(reverse("admin:index")).content.decode()
    for label in models():
        link = reverse(f"admin:{label.replace('.', '_')}_changelist")
        assert (f'href="{link}"' in shown) == (role in LOOK.get(label, EVERYBODY)), label


def test_a_role_that_somebody_changed_is_set_right_by_migrations():
    group = roles.Group.objects.get(name="viewer")
    before = set(group.permissions.all())
    group.permissions.clear()
    roles.make_groups(sender=None, using="default")
    assert set(group.permissions.all()) == before
