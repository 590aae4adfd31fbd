"""The back office shows everything that staff need and changes nothing but rules, whoever asks."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.money import format_money
from ledger import reversal
from ledger.durable import durable
from ledger.models import Account, Hold, Transaction
from users.models import ApiClient, ApiSecret, User
from walletproject import demo
from wallets import backups
from wallets.models import (
    Backup,
    BankAccount,
    Deposit,
    ProviderAccount,
    TopUp,
    Transfer,
    UnmatchedReceipt,
    Wallet,
    WebhookEvent,
    Withdrawal,
)

MODELS = [model._meta.label_lower for model in admin.site._registry]
# What staff write here; test_withdrawals_admin.py and reconciliation/test_pages.py have how.
RULES = {"wallets.feerule", "wallets.withdrawallimit", "wallets.approvalrule"}
SETTINGS = RULES | {"wallets.journaltemplate", "wallets.columnmapping", "wallets.matchrule"}
WRITTEN = SETTINGS | {"wallets.proposal", "wallets.break"}
# So many rows at either end of a table are looked at.
EDGE = 3
# What a list leaves out if nobody asks for it.
QUERY = {"wallets.break": "?state=any"}
pytestmark = pytest.mark.usefixtures("demo_data")
NUMBERS = ("0123456789", "0000000001", "0000000004")


@pytest.fixture(scope="module")
def pages(demo_once) -> dict[str, str]:
    """Each page that there is, as a superuser sees it."""
    client = Client()
    client.force_login(User.objects.get(email=demo.STAFF))
    return every_page(client)


@pytest.fixture
def office() -> Client:
    """A browser in which a superuser has logged in."""
    client = Client()
    client.force_login(User.objects.get(email=demo.STAFF))
    return client


def staff(*permissions: str) -> Client:
    """A browser in which somebody of the staff has logged in, who may do this and no more."""
    user = User.objects.create_user("clerk@example.com", "a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def list_of(model: str) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_changelist")


def page_of(model: str, row: Any = None, page: str = "change") -> str:
    row = row or apps.get_model(model).objects.first()
    return reverse(f"admin:{model.replace('.', '_')}_{page}", args=[row.pk])


def text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def every_page(client: Client) -> dict[str, str]:
    """Each list, and the pages of its first and last rows."""
    urls = [reverse("admin:index"), *(list_of(model) + QUERY.get(model, "") for model in MODELS)]
    for model in MODELS:
        rows = apps.get_model(model).objects.order_by("pk")
        urls += [page_of(model, row) for row in {*rows[:EDGE], *rows.reverse()[:EDGE]}]
    return {url: text(client, url) for url in urls}


def test_everything_that_staff_need_is_there():
    assert sorted(MODELS) == sorted([
        "users.user", "users.apiclient", "users.auditevent",
        "wallets.wallet", "wallets.deposit", "wallets.transfer", "wallets.withdrawal", "wallets.bankaccount",
        "wallets.topup", "wallets.webhookevent", "wallets.unmatchedreceipt",
        "wallets.provideraccount", "wallets.balancesnapshot", "wallets.driftalert",
        "wallets.feerule", "wallets.withdrawallimit", "wallets.approvalrule", "wallets.payoutpause",
        "wallets.providercircuit", "wallets.proposal", "wallets.journaltemplate", "wallets.export",
        "wallets.reconciledaccount", "wallets.statement", "wallets.statementline", "wallets.reconciliation",
        "wallets.match", "wallets.break", "wallets.matchrule", "wallets.backup", "wallets.columnmapping",
        "wallets.meter", "wallets.meterprice", "wallets.usageaccount", "wallets.usagesettlement",
        "wallets.quarantinedevent", "wallets.usagerecalculation", "wallets.usagedifference", "wallets.usagealert",
        "wallets.automatictopup",
        "ledger.account", "ledger.transaction", "ledger.hold", "ledger.seal", "ledger.verification",
    ])  # fmt: skip


def test_a_list_has_its_rows_and_each_row_a_page(pages):
    for model in MODELS:
        rows = apps.get_model(model).objects.all()
        assert rows, f"the demo data has no {model}"
        listed = pages[list_of(model) + QUERY.get(model, "")]
        assert all(page_of(model, row) in listed for row in rows.order_by("-pk")[:20]), model
        assert pages[page_of(model, rows.order_by("pk")[0])]


def test_no_page_offers_to_change_anything(pages):
    written = tuple(list_of(model) for model in WRITTEN)
    for url, page in pages.items():
        if url.startswith(written):
            continue
        assert not re.search(r'href="[^"]*/(add|delete)/|name="_save|name="action"|name="_addanother', page), url


@pytest.mark.parametrize("model", [model for model in MODELS if model not in WRITTEN])
def test_nobody_adds_changes_or_deletes(office, model):
    before = apps.get_model(model).objects.count()
    for url in (reverse(f"admin:{model.replace('.', '_')}_add"), page_of(model, page="delete")):
        assert office.get(url).status_code == 403
        assert office.post(url, {"post": "yes"}).status_code == 403
    first = apps.get_model(model).objects.first()
    assert office.post(page_of(model, first), {"name": "x", "email": "x@example.com"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": str(first.pk), "post": "yes"}
    assert office.post(list_of(model), action).status_code == 403
    assert apps.get_model(model).objects.count() == before


def test_a_password_is_not_changed_here(office):
    assert office.get(reverse("admin:password_change")).status_code == 403
    assert "Change password" not in text(office, reverse("admin:index"))


def test_no_page_shows_a_secret_or_the_number_of_a_bank_account(pages):
    hashes = list(User.objects.values_list("password", flat=True))
    sealed = [bytes(secret).decode() for secret in ApiSecret.objects.values_list("secret", flat=True)]
    sealed += [bytes(number).decode() for number in BankAccount.objects.values_list("number", flat=True)]
    for url, page in pages.items():
        for secret in (*NUMBERS, *hashes, *sealed):
            assert secret not in page, url
        assert "argon2" not in page
        assert "md5$" not in page
    assert "•••• 6789" in "".join(pages.values())


def test_what_people_write_is_shown_as_text_and_links_as_links(pages):
    assert "&lt;b&gt;Mine" in pages[list_of("wallets.wallet")]
    for url, page in pages.items():
        assert "<b>Mine" not in page, url
        assert "&lt;a " not in page, url
        assert "&lt;span" not in page, url


def test_moments_are_told_to_the_second_in_utc(office):
    posted = Transaction.objects.first().posted_at
    assert f"{posted:%H:%M:%S}\N{NO-BREAK SPACE}UTC" in text(office, list_of("ledger.transaction"))


def test_the_address_alone_leads_to_the_documentation():
    answer = Client().get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/api/docs")


def test_only_staff_enter():
    customer = Client()
    customer.force_login(User.objects.get(email="amina@example.com"))
    for client in (Client(), customer):
        for url in (reverse("admin:index"), list_of("wallets.wallet"), page_of("ledger.transaction")):
            response = client.get(url)
            assert response.status_code == 302
            assert response["Location"].startswith("/admin/login/")


def test_staff_log_in_by_their_email():
    client = Client()
    client.post("/admin/login/", {"username": demo.STAFF.upper(), "password": demo.PASSWORD})
    assert client.get("/admin/").status_code == 200


def test_staff_see_what_they_have_the_right_to_see():
    clerk = staff("view_wallet")
    index = text(clerk, reverse("admin:index"))
    assert list_of("wallets.wallet") in index
    assert list_of("ledger.transaction") not in index
    assert "Owed to customers" not in index
    assert clerk.get(list_of("wallets.wallet")).status_code == 200
    assert clerk.get(list_of("ledger.transaction")).status_code == 403
    assert clerk.get(page_of("users.user")).status_code == 403


def test_staff_with_every_right_of_django_change_nothing_either():
    clerk = staff(*Permission.objects.values_list("codename", flat=True))
    assert clerk.post(page_of("wallets.wallet"), {"name": "Mine"}).status_code == 403
    assert clerk.get(reverse("admin:users_user_add")).status_code == 403


def test_the_first_page_tells_what_is_owed_and_what_is_held(office):
    index = text(office, reverse("admin:index"))
    owed = sum(-entry.balance for entry in _lanes("liabilities:wallets:", "NGN"))
    held = sum(entry.balance for entry in _lanes("assets:clearing:", "NGN"))
    unmatched = sum(-entry.balance for entry in _lanes("liabilities:suspense:", "NGN"))
    given = sum(entry.balance for entry in _lanes("expenses:", "NGN"))
    earned = sum(-entry.balance for entry in _lanes("income:", "NGN"))
    assert owed + unmatched + earned == held + given
    assert min(owed, unmatched, earned, held, given) > 0
    for amount in (owed, unmatched, held):
        assert format_money(amount, "NGN").removeprefix("NGN ") in index


def test_breadcrumbs_call_a_page_as_the_sidebar_does(office):
    account = ProviderAccount.objects.first()
    assert breadcrumbs(office, list_of("users.apiclient")) == ["Access", "API clients"]
    assert breadcrumbs(office, page_of("wallets.provideraccount", account)) == [
        "Providers", "Linked accounts", str(account),
    ]  # fmt: skip
    assert breadcrumbs(office, reverse("admin:wallets_feerule_add")) == ["Paying out", "Fees"]


def breadcrumbs(client: Client, url: str) -> list[str]:
    heading = re.search(r"<h1.*?</h1>", text(client, url), re.DOTALL)
    assert heading
    return [re.sub(r"<[^>]*>", "", link) for link in re.findall(r"<a href[^>]*>(.*?)</a>", heading[0], re.DOTALL)][-3:]


def test_a_wallets_page_tells_its_money_its_members_and_its_history(office):
    wallet = Wallet.objects.get(owner__email="amina@example.com", currency="NGN")
    page = text(office, page_of("wallets.wallet", wallet))
    for title in ("Balance", "Held", "Pending", "Available", "Recent transactions", "Members"):
        assert title in page
    assert "NGN 25,000.00" in page
    assert "amina@example.com" in page
    transactions = Transaction.objects.filter(entries__account=wallet.account)
    for transaction in transactions:
        assert page_of("ledger.transaction", transaction) in page


def test_a_transactions_page_has_its_entries_in_debits_and_credits(office):
    transfer = Transfer.objects.first()
    page = text(office, page_of("ledger.transaction", transfer.transaction))
    for entry in transfer.transaction.entries.all():
        assert page_of("ledger.account", entry.account) in page
    assert page.count(f">{format_money(transfer.amount, transfer.currency)}<") >= 4, "two entries and two totals"
    for wallet in (transfer.source, transfer.destination):
        assert page_of("wallets.wallet", wallet) in page
        assert wallet.owner.email in page


def test_a_lanes_balance_isnt_told_as_its_accounts(office):
    across, into = Transfer.objects.first().transaction, Deposit.objects.first().transaction
    assert "in lane" not in text(office, page_of("ledger.transaction", across))
    assert text(office, page_of("ledger.transaction", into)).count("in lane") == 1, "that of the bank's side"


def test_a_reversal_and_what_it_reverses_lead_to_each_other(office):
    first = Transfer.objects.order_by("id").last().transaction
    durable(reversal.reverse)(first.pk, reference="undo", now=datetime.now(UTC))
    undo = Transaction.objects.get(reference="undo")
    assert page_of("ledger.transaction", undo) in text(office, page_of("ledger.transaction", first))
    assert page_of("ledger.transaction", first) in text(office, page_of("ledger.transaction", undo))


def test_an_account_without_lanes_still_has_a_page(office):
    account = Account.objects.create(
        code="equity:odd", type="equity", currency="XAU", created_at=datetime.now(UTC)
    )  # fmt: skip
    assert "equity:odd" in text(office, page_of("ledger.account", account))


def test_a_linked_accounts_page_draws_what_the_bank_holds_against_our_books(office):
    drifting = ProviderAccount.objects.get(currency="USD")
    page = text(office, page_of("wallets.provideraccount", drifting))
    assert "USD 950.00" in page
    assert "USD −250.00" in page
    assert page.count("<polyline") == 2
    assert page_of("wallets.driftalert") in page
    wallet = text(office, page_of("wallets.wallet", drifting.wallet))
    assert f"wallet__id__exact={drifting.wallet_id}" in wallet


@pytest.mark.parametrize(
    ("model", "term"),
    [
        ("users.user", lambda: "Amina@"),
        ("users.user", lambda: str(User.objects.get(email="amina@example.com").pk)),
        ("users.apiclient", lambda: ApiSecret.objects.get().key_id),
        ("wallets.wallet", lambda: "njeri@example.com"),
        ("wallets.wallet", lambda: str(Wallet.objects.first().account_id)),
        ("ledger.account", lambda: "assets:clearing:sandbox:USD"),
        ("ledger.transaction", lambda: Transaction.objects.first().reference),
        ("ledger.hold", lambda: Hold.objects.first().reference),
        ("wallets.deposit", lambda: str(Deposit.objects.first().pk)),
        ("wallets.topup", lambda: TopUp.objects.first().reference),
        ("wallets.unmatchedreceipt", lambda: UnmatchedReceipt.objects.get().payment_id),
        ("wallets.webhookevent", lambda: WebhookEvent.objects.first().reference),
        ("wallets.withdrawal", lambda: str(Withdrawal.objects.first().pk)),
        ("users.auditevent", lambda: f"client:{ApiClient.objects.get().pk}"),
    ],
)
def test_a_search_finds_its_row_and_no_other(office, model, term):
    listed = text(office, f"{list_of(model)}?q={term()}")
    pages = [page_of(model, row) for row in apps.get_model(model).objects.all()]
    assert sum(page in listed for page in pages) == 1


@pytest.mark.parametrize("body", [b'{"event": "x", "data": {"account_number": "0690000031"}}', b"Not JSON: 0690000031"])
def test_a_webhooks_page_shows_its_body_without_account_numbers(office, body):
    event = WebhookEvent.objects.create(
        provider="paystack", dedupe_key="x:1", kind="other", body=body, sha256=b"", received_at=datetime.now(UTC),
        state="done",
    )  # fmt: skip
    page = text(office, page_of("wallets.webhookevent", event))
    assert "••••0031" in page
    assert "0690000031" not in page


@pytest.mark.parametrize("term", ["nothing", "0199a000-0000-7000-8000-000000000000", "'\"(", "x:y"])
def test_a_search_for_what_is_not_there_finds_nothing(office, term):
    for model in [model for model in MODELS if model not in SETTINGS]:
        listed = text(office, f"{list_of(model)}?q={term}")
        assert not any(page_of(model, row) in listed for row in apps.get_model(model).objects.all()), model


def test_a_search_for_what_no_text_contains_is_no_error(office):
    for model in MODELS:
        assert office.get(f"{list_of(model)}?q=a%00b").status_code == 200


@pytest.mark.parametrize(
    ("model", "query", "found"),
    [
        ("wallets.wallet", "currency__exact=USD", 1),
        ("wallets.withdrawal", "status=pending", 3),
        ("wallets.withdrawal", "status=failed", 0),
        ("ledger.hold", "open=pending", 1),
        ("ledger.hold", "open=any", 4),
        ("ledger.account", "root=income", 6),
        ("ledger.transaction", "posted_at_from=2000-01-01", 50),
        ("ledger.transaction", "posted_at_to=2000-01-01", 0),
        ("ledger.transaction", "posted_at_from=nonsense", 50),
        ("wallets.deposit", "created_at_from=2999-01-01", 0),
        ("wallets.topup", "status=pending", 1),
        ("wallets.topup", "status=completed", 1),
        ("wallets.webhookevent", "state=done", 2),
        ("wallets.webhookevent", "state=dead", 0),
        ("wallets.unmatchedreceipt", "assigned=no", 1),
        ("wallets.unmatchedreceipt", "assigned=yes", 0),
    ],
)
def test_a_filter_leaves_its_rows(office, model, query, found):
    listed = text(office, f"{list_of(model)}?{query}")
    assert sum(page_of(model, row) in listed for row in apps.get_model(model).objects.all()) == found


def test_a_filter_by_todays_date_leaves_todays_rows(office):
    today = datetime.now(UTC).date()
    listed = text(office, f"{list_of('ledger.transaction')}?posted_at_from={today}&posted_at_to={today}")
    newest = Transaction.objects.latest("posted_at")
    assert page_of("ledger.transaction", newest) in listed
    assert page_of("ledger.transaction", Transaction.objects.earliest("posted_at")) not in listed


@pytest.mark.parametrize("model", MODELS)
def test_a_list_asks_as_much_for_many_rows_as_for_one(office, model):
    office.get(list_of(model))
    with CaptureQueriesContext(connection) as many:
        office.get(list_of(model))
    one = apps.get_model(model).objects.first().pk
    with CaptureQueriesContext(connection) as few:
        office.get(f"{list_of(model)}?q={one}")
    assert len(many) <= len(few)
    assert len(many) <= 10, [query["sql"] for query in many]


def test_a_page_asks_a_bounded_number_of_queries(pages, office, django_assert_max_num_queries):
    for model in MODELS:
        with django_assert_max_num_queries(21):
            office.get(page_of(model))


def test_no_filter_counts_its_rows(pages):
    for url, page in pages.items():
        assert "Show counts" not in page, url


def page_through(client: Client, url: str, direction: str) -> list[list[str]]:
    """The rows' links of each page, from a page in one direction until there is no further one."""
    pages = []
    while url:
        listed = text(client, url)
        pages.append(re.findall(r'<th[^>]*class="field[^>]*>\s*<a href="([^"?]+)', listed))
        found = re.search(rf'rel="{direction}" href="([^"]+)"', listed)
        last, url = url, f"{url.partition('?')[0]}{unescape(found[1])}" if found else ""
    return [*pages, [last]]


@pytest.mark.parametrize("model", ["ledger.transaction", "ledger.account", "wallets.break"])
def test_a_list_is_paged_from_row_to_row_and_counts_nothing(office, monkeypatch, model):
    monkeypatch.setattr(admin.site.get_model_admin(apps.get_model(model)), "list_per_page", 4)
    with CaptureQueriesContext(connection) as asked:
        *forward, (last,) = page_through(office, list_of(model) + QUERY.get(model, ""), "next")
    assert not [query["sql"] for query in asked if "COUNT(*)" in query["sql"] and "LIMIT" not in query["sql"]]
    rows = [row for page in forward for row in page]
    assert len(rows) == len(set(rows)) == apps.get_model(model).objects.count()
    *backward, _ = page_through(office, last, "prev")
    assert backward[::-1] == forward


def test_a_page_behind_what_is_no_row_is_the_first_one(office):
    answer = office.get(list_of("ledger.transaction"), {"after": "nonsense"})
    assert (answer.status_code, answer["Location"]) == (302, f"{list_of('ledger.transaction')}?e=1")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (4_500_000, "NGN", "NGN 45,000.00"),
        (0, "USD", "USD 0.00"),
        (5, "USD", "USD 0.05"),
        (-123_456_789, "USD", "USD −1,234,567.89"),
        (1_500, "JPY", "JPY 1,500"),
        (1_234_567, "KWD", "KWD 1,234.567"),
        (-7, "ZZZ", "ZZZ −7"),
    ],
)
def test_money_is_written_as_a_person_reads_it(amount, currency, shown):
    assert format_money(amount, currency) == shown


def _lanes(root: str, currency: str) -> list[Any]:
    found = Account.objects.filter(code__startswith=root, currency=currency)
    return [lane for account in found for lane in account.balances.all()]


@pytest.mark.parametrize(
    ("hours", "told", "tone"),
    [
        (None, "Never", "orange"), (0, "1 min ago", "green"), (25, "25 h ago", "green"), (27, "27 h ago", "orange"),
        (72, "3 days ago", "orange"),
    ],
)  # fmt: skip
def test_the_first_page_says_how_old_the_last_backup_is(office, hours, told, tone):
    Backup.objects.update(removed_at=datetime.now(UTC))
    if hours is not None:
        then = datetime.now(UTC) - timedelta(hours=hours, minutes=1)
        made = backups.begin(Path("/srv/backups"), version="18.4", now=then)
        backups.succeed(made, Path("/srv/backups/one"), size=1, wal_position="0/1", now=then)
    row = re.search(r"Last backup.*?</tr>", text(office, reverse("admin:index")), re.DOTALL)[0]
    assert told in row and tone in row
    assert (hours is None) == ("manage.py backup FOLDER" in row)


def test_the_first_page_says_that_the_wal_isnt_archived(office):
    row = re.search(r"WAL archived.*?</tr>", text(office, reverse("admin:index")), re.DOTALL)[0]
    assert "Never" in row and "manage.py archive_wal FOLDER" in row
