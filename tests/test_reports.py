"""Reports of the demo's month: they agree with each other and with the books, and the files say what the pages say."""

import csv
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from ledger import sql
from users.models import User
from wallets.documents import as_csv
from wallets.documents.document import Kind
from wallets.models import Wallet
from wallets.reports.registry import REPORTS
from wallets.reports.report import Parameters

pytestmark = pytest.mark.usefixtures("demo_data")
TODAY = datetime.now(UTC).date()
MONTH = Parameters(TODAY - timedelta(days=40), TODAY)


def parameters(slug: str) -> Parameters:
    """What each report needs, of the demo's month."""
    said = {"since": MONTH.since, "until": MONTH.until, "account": "assets:clearing"}
    said["wallet"] = Wallet.objects.get(owner__email="amina@example.com", currency="NGN").pk
    return Parameters(**{name: said[name] for name in REPORTS[slug].asks})


def table(slug: str, currency: str = "NGN", **said) -> list[tuple]:
    """The rows of a report in a currency."""
    document = REPORTS[slug].build(Parameters(**{"since": None, "until": TODAY, **said}))
    return [row.cells for section in document.sections if section.currency == currency for row in section.lines()]


def amount(rows: list[tuple], first: str, column: int = -1) -> int:
    """The amount of the row that begins so."""
    (found,) = [row for row in rows if row[0] == first]
    return found[column] or 0


def booked(prefix: str, currency: str = "NGN") -> int:
    """What the entries of all accounts under a code come to, debits less credits."""
    query = """SELECT coalesce(sum(e.amount), 0)::int8 FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
               WHERE a.code LIKE %s AND a.currency = %s"""
    return int(sql.rows(query, (f"{prefix}%", currency))[0][0])


def test_debits_equal_credits_in_the_trial_balance():
    (total,) = [row for row in table("trial-balance") if row[0] == "Total"]
    assert total[-2] == total[-1] > 0


def test_the_balance_sheet_balances_and_its_result_is_that_of_the_income_statement():
    sheet = table("balance-sheet")
    assert amount(sheet, "Total assets") == amount(sheet, "Total liabilities, equity and result") == booked("assets:")
    income = table("income-statement", since=date(2020, 1, 1))
    assert amount(sheet, "Result so far") == amount(income, "Result") == -booked("income:") - booked("expenses:")


def test_what_customers_are_owed_is_the_same_everywhere():
    safe = table("safeguarding")
    owed = amount(safe, "Owed to customers", 2)
    assert owed == -booked("liabilities:wallets:") == amount(table("trial-balance"), "liabilities:wallets")
    assert amount(safe, "Received, and nobody’s yet", 2) == -booked("liabilities:suspense:")
    assert amount(safe, "Held", 2) == booked("assets:clearing:")


def test_statements_of_all_wallets_close_at_what_customers_are_owed():
    closings = 0
    for wallet in Wallet.objects.filter(currency="NGN"):
        rows = table("wallet-statement", since=MONTH.since, wallet=wallet.pk)
        closings += rows[-1][-1]
        assert rows[0][-1] + sum((row[-3] or 0) - (row[-2] or 0) for row in rows[1:-1]) == rows[-1][-1]
    assert closings == amount(table("safeguarding"), "Owed to customers", 2)


def test_a_general_ledger_closes_at_the_balance_sheets_assets():
    rows = table("general-ledger", since=MONTH.since, account="assets")
    closing = sum(row[-1] for row in rows if row[1] == "Closing balance")
    assert closing == amount(table("balance-sheet"), "Total assets")


def test_fees_are_what_the_income_statement_has():
    fees, income = table("fees", since=MONTH.since), table("income-statement", since=MONTH.since)
    assert fees[-1][1] == -booked("income:fees") and fees[-1][2] == booked("expenses:provider_fees")
    assert any(row[0] == "income:fees:NGN" and row[-1] == fees[-1][1] for row in income) or not fees[-1][1]


def test_volumes_count_every_transaction_once():
    rows = table("volumes", since=MONTH.since)
    count = """SELECT count(DISTINCT t.id) FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
               JOIN ledger_account a ON a.id = e.account_id WHERE a.currency = 'NGN'"""
    assert rows[-1][2] == sum(row[2] for row in rows[:-1]) == sql.rows(count)[0][0]
    assert rows[-1][3] == sum(row[3] for row in rows[:-1])


@pytest.mark.parametrize("slug", ["trial-balance", "balance-sheet"])
def test_of_a_day_before_the_first_there_is_nothing_to_tell(slug):
    document = REPORTS[slug].build(Parameters(until=date(2000, 1, 1)))
    assert [(list(one.lines()), one.empty) for one in document.sections] == [([], "There is nothing to tell.")]


# --- As files ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ada() -> Client:
    """The accountant, in the back office."""
    client = Client()
    client.force_login(User.objects.get(email="accountant@example.com"))
    return client


def query(slug: str, **more: str) -> dict[str, str]:
    given = parameters(slug)
    said = {name: getattr(given, name) for name in REPORTS[slug].asks}
    return {name: str(value) for name, value in {**said, **more}.items()}


def downloaded(client: Client, slug: str, format: str) -> bytes:
    answer = client.get(reverse("admin:report", args=[slug]), query(slug, format=format))
    assert answer.status_code == 200 and f".{format}" in answer["Content-Disposition"]
    return answer.getvalue()


def read(format: str, content: bytes) -> list[list]:
    """The rows of a file, as its reader gives them."""
    if format == "csv":
        return list(csv.reader(StringIO(content.decode())))
    return [list(row) for sheet in openpyxl.load_workbook(BytesIO(content)) for row in sheet.values]


def texts(slug: str) -> set[str]:
    """The words of a report."""
    document = REPORTS[slug].build(parameters(slug))
    return {
        cell
        for section in document.sections
        for row in section.lines()
        for cell, column in zip(row.cells, section.columns, strict=True)
        if column.kind is Kind.TEXT and isinstance(cell, str) and cell
    }


@pytest.mark.parametrize("slug", REPORTS)
def test_a_page_shows_the_report_and_links_its_files(ada, slug):
    page = ada.get(reverse("admin:report", args=[slug]), query(slug)).content.decode()
    assert all(f"format={format}" in page for format in ("csv", "xlsx", "pdf"))
    assert 'class="office-error' not in page


@pytest.mark.parametrize("slug", REPORTS)
def test_csv_and_xlsx_have_every_row_and_the_same_words(ada, slug):
    document = REPORTS[slug].build(parameters(slug))
    rows = [row for section in document.sections for row in section.lines()]
    for format in ("csv", "xlsx"):
        found = read(format, downloaded(ada, slug, format))
        said = {str(cell) for row in found for cell in row}
        assert {as_csv.inert(text) if format == "csv" else text for text in texts(slug)} <= said, format
        assert len(found) >= len(rows), format


@pytest.mark.parametrize("slug", REPORTS)
def test_a_pdf_has_the_title_the_pages_number_and_the_last_row(ada, slug):
    pages = PdfReader(BytesIO(downloaded(ada, slug, "pdf"))).pages
    words = " ".join(" ".join(page.extract_text().split()) for page in pages)
    assert REPORTS[slug].title in words or "Statement" in words
    assert f"1 of {len(pages)}" in words or f"1 / {len(pages)}" in words, words[-300:]
    document = REPORTS[slug].build(parameters(slug))
    last = [row for section in document.sections for row in section.lines()][-1:]
    for cell in (cell for row in last for cell in row.cells[:1] if isinstance(cell, str)):
        assert cell in words


def test_what_must_be_said_is_asked_for(ada):
    page = ada.get(reverse("admin:report", args=["wallet-statement"]), {"since": "2026-01-02", "until": "2026-01-01"})
    assert "This field is required" in page.content.decode()
    said = {**query("trial-balance"), "until": "yesterday"}
    assert "Enter a valid date" in ada.get(reverse("admin:report", args=["trial-balance"]), said).content.decode()


@pytest.mark.parametrize("page", ["wallets_wallet", "ledger_account"])
def test_a_page_leads_to_its_statement(ada, page):
    row = Wallet.objects.first()
    id = row.pk if page == "wallets_wallet" else row.account_id
    answer = ada.get(reverse(f"admin:{page}_statement", args=[id]), follow=True)
    assert answer.status_code == 200 and str(row.pk) in answer.request["QUERY_STRING"]
    assert "Opening balance" in answer.content.decode()
