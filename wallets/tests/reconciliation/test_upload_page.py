"""Statements are uploaded in the back office: all of a file is taken, or it is told why not, and nothing changes."""

import pytest

from wallets.admin.reconciliation import upload
from wallets.models import Break, Match, ReconciledAccount, Reconciliation, Statement, StatementLine
from wallets.tests.reconciliation.conftest import Row, as_csv
from wallets.tests.reconciliation.pages import UPLOAD, Browser, said
from wallets.tests.test_proposals import staff

ROWS = [Row(3, -400, "ref-0001", "T1"), Row(4, -50, description="Charge")]
MT940 = b""":20:MARCH
:25:0001234567
:28C:1/1
:60F:C260301NGN10,00
:61:2603040304D4,00NTRFref-0001//T1
:86:Transfer
:62F:C260304NGN6,00
-
"""
HEAD = b"date,amount,reference,description,external_id\n"
WRONG = {
    "amount": (HEAD + b"2026-03-04,4x,,,\n", "“4x” is no amount"),
    "date": (HEAD + b"2026-13-04,4.00,,,\n", "is no date"),
    "columns": (b"day,sum\n2026-03-04,4.00\n", "What is wrong with it"),
    "formula": (HEAD + b"2026-03-04,=1+1,,,\n", "It is a formula"),
    "empty": (HEAD, "is it the right file?"),
    "bytes": (b"\x00\x01\x02", "What is wrong with it"),
}


@pytest.fixture
def ada(desk):
    return Browser(staff("ada", "accountant"))


def kept():
    return [model.objects.count() for model in (ReconciledAccount, Statement, StatementLine)]


def test_a_file_is_imported_and_leads_to_its_statement(ada):
    page = said(ada.upload(as_csv(ROWS)))
    assert kept() == [1, 1, 2]
    assert all(words in page for words in ("Imported: 2 lines, 2 of them new.", "march.csv", "ref-0001", "NGN −4.00"))


def test_the_name_of_a_file_tells_its_format(ada):
    page = said(ada.upload(MT940, "march.sta"))
    assert "NGN 6.00" in page and Statement.objects.get().format == "mt940"


def test_balances_are_written_as_people_write_them(ada):
    ada.upload(as_csv(ROWS), opening="1,000.00", closing="995.50")
    assert Statement.objects.values_list("opening_balance", "closing_balance").get() == (100_000, 99_550)


def test_the_same_file_is_imported_once(ada):
    ada.upload(as_csv(ROWS))
    assert "nothing was done" in said(ada.upload(as_csv(ROWS), "april.csv"))
    assert kept() == [1, 1, 2]


@pytest.mark.parametrize("what", WRONG)
def test_what_cant_be_read_is_told_and_nothing_is_imported(ada, what):
    content, told = WRONG[what]
    page = said(ada.upload(content, mapping="standard"))
    assert told in page and "Nothing of march.csv was imported." in page
    assert kept() == [0, 0, 0]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("march.pdf", {}, "The file’s name doesn’t tell; choose one."),
        ("march.csv", {"account": ""}, "This field is required."),
        ("march.csv", {"account": "paystack:USD"}, "Select a valid choice."),
        ("march.csv", {"mapping": "nobody’s"}, "Select a valid choice."),
        ("march.csv", {"opening": "some"}, "Write an amount, such as 1,500.00."),
        ("march.csv", {"opening": "0", "closing": "9"}, "makes NGN −4.50; it closes with NGN 9.00"),
    ],
)
def test_what_was_chosen_wrongly_is_told_and_nothing_is_imported(ada, name, data, told):
    assert told in said(ada.upload(as_csv(ROWS), name, **data))
    assert kept() == [0, 0, 0]


def test_what_is_too_large_for_a_page_is_left_to_the_command(ada, monkeypatch):
    monkeypatch.setattr(upload, "LARGEST", 10)
    assert "manage.py import_statement march.csv --account paystack:NGN" in said(ada.upload(as_csv(ROWS)))
    assert kept() == [0, 0, 0]


def test_a_statement_of_another_account_is_refused(ada):
    ada.upload(MT940, "march.sta")
    other = MT940.replace(b"0001234567", b"0007654321")
    assert "import it for the account that it belongs to" in said(ada.upload(other, "other.sta"))
    assert kept() == [1, 1, 1]


@pytest.mark.parametrize("role", ["viewer", "auditor", "approver", "admin"])
def test_nobody_else_uploads(desk, role):
    clerk = Browser(staff("clerk", role))
    assert (clerk.client.get(UPLOAD).status_code, clerk.upload(as_csv(ROWS)).status_code) == (403, 403)
    assert kept() == [0, 0, 0]


def test_what_was_imported_is_reconciled_at_the_press_of_a_button(desk, ada):
    desk.book((3, -400, "ref-0001"))
    ada.upload(as_csv(ROWS))
    statement = Statement.objects.get()
    assert "Reconcile now" in ada.page(statement)
    page = ada.read(ada.press(statement, "reconcile")["HX-Redirect"])
    assert "1 line matched, 1 break opened." in page
    assert (Match.objects.count(), Break.objects.get().kind) == (1, "missing_here")
    assert "Reconcile now" not in ada.page(statement)


def test_what_takes_minutes_is_left_to_the_command(desk, ada, monkeypatch):
    monkeypatch.setattr("wallets.admin.reconciliation.runs.LARGEST", 1)
    ada.upload(as_csv(ROWS))
    page = ada.read(ada.press(desk.account, "reconcile")["HX-Redirect"])
    assert "manage.py reconcile_provider paystack" in page
    assert not Reconciliation.objects.exists()


@pytest.mark.parametrize(
    "model", ["break", "reconciledaccount", "statement", "statementline", "match", "reconciliation"]
)
def test_a_list_without_rows_says_what_would_bring_some(ada, model):
    page = ada.list(model)
    assert any(words in page for words in ("pload", "first statement", "is explained"))
    assert "Nothing here fits what is looked for." in ada.list(model, q="something")
