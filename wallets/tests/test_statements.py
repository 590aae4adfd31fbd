"""Statements: they add up, they meet each other, and each format says the same, with nothing in it that runs."""

import csv
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from types import SimpleNamespace
from uuid import uuid4

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from pypdf import PdfReader

from wallets import deposits, opening, transfers
from wallets.documents import as_csv, as_pdf, as_xlsx, fonts, formats
from wallets.statements import statement as statements
from wallets.statements.document import COLUMNS, document
from wallets.tests.conftest import service

JANUARY, FEBRUARY = "from=2026-01-01&to=2026-01-31", "from=2026-02-01&to=2026-02-28"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opened(person, name="", currency="USD"):
    return opening.open_wallet(
        caller=person.caller, currency=currency, name=name, owner=None, metadata={}, now=day("2025-12-01")
    )


def deposit(shop, wallet, amount, when, description="", reference=""):
    deposits.deposit(
        caller=shop.caller, wallet_id=wallet.id, amount=amount, release_at=None, reference=reference,
        description=description, metadata={}, now=day(when),
    )  # fmt: skip


def pay(person, source, destination, amount, when, description=""):
    order = transfers.Order(person.caller, source.id, amount, destination.id, description=description)
    transfers.transfer(order, now=day(when))


@pytest.fixture
def pot(alice, bob, shop):
    """Alice's wallet with a year's turn behind it: 10.00 in December, 5.00 in and 1.50 out in January, 0.25 after."""
    pot, bobs = opened(alice, "Savings"), opened(bob)
    deposit(shop, pot, 1_000, "2025-12-31T23:59:59.999999")
    deposit(shop, pot, 500, "2026-01-01T00:00:00", "Sale 17", "order-17")
    pay(alice, pot, bobs, 150, "2026-01-31T23:59:59.999999", "Lunch")
    pot.bobs, pot.person = bobs, alice
    deposit(shop, pot, 25, "2026-02-01T00:00:00")
    return pot


def fetch(person, wallet, query):
    return person.http.get(f"wallets/{wallet.id}/statement?{query}")


def built(person, wallet, since=date(2026, 1, 1), until=date(2026, 1, 31)):
    return statements.statement(caller=person.caller, wallet_id=wallet.id, since=since, until=until)


def sheet(content):
    return openpyxl.load_workbook(BytesIO(content))["Statement"]


def pdf_text(content):
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


def letters(file):
    """The shapes of a PDF's letters, font by font."""
    used = PdfReader(file).pages[0]["/Resources"]["/Font"].values()
    described = [font.get_object()["/FontDescriptor"] for font in used if "/FontDescriptor" in font.get_object()]
    return sorted(font["/FontFile2"].get_data() for font in described)


def test_a_statement_says_everything(alice, pot):
    answer = fetch(alice, pot, JANUARY)
    assert answer.status == 200
    body = answer.body
    lines = body.pop("lines")
    assert body == {
        "wallet": str(pot.id), "name": "Savings", "owner": {"id": str(alice.user.pk), "email": "alice@example.com"},
        "currency": "USD", "exponent": 2, "from": "2026-01-01", "to": "2026-01-31", "opening_balance": 1_000,
        "total_in": 500, "total_out": 150, "closing_balance": 1_350,
    }  # fmt: skip
    assert len({line.pop("transaction") for line in lines}) == 2
    assert lines == [
        {"sequence": 2, "created_at": "2026-01-01T00:00:00Z", "type": "deposit", "description": "Sale 17",
         "reference": "order-17", "counterparty": None, "in": 500, "out": 0, "balance": 1_500},
        {"sequence": 3, "created_at": "2026-01-31T23:59:59.999999Z", "type": "transfer", "description": "Lunch",
         "reference": "", "counterparty": str(pot.bobs.id), "in": 0, "out": 150, "balance": 1_350},
    ]  # fmt: skip


def test_a_statement_meets_the_next_one_and_the_balance(alice, pot):
    january, february = (fetch(alice, pot, period).body for period in (JANUARY, FEBRUARY))
    assert january["closing_balance"] == february["opening_balance"] == 1_350
    assert february["closing_balance"] == 1_375

    def at(moment):
        return alice.http.get(f"wallets/{pot.id}/balance?at={moment}").body["balance"]

    assert january["opening_balance"] == at("2025-12-31T23:59:59.999999Z")
    assert january["closing_balance"] == at("2026-01-31T23:59:59.999999Z")
    assert february["closing_balance"] == alice.http.get(f"wallets/{pot.id}/balance").body["balance"]


def test_a_statement_adds_up_across_chunks(alice, shop, monkeypatch):
    monkeypatch.setattr("ledger.statements.CHUNK", 3)
    wallet = opened(alice)
    for amount in range(1, 11):
        deposit(shop, wallet, amount, "2026-01-10")
    body = fetch(alice, wallet, JANUARY).body
    assert [line["sequence"] for line in body["lines"]] == list(range(1, 11))
    running = body["opening_balance"]
    for line in body["lines"]:
        running += line["in"] - line["out"]
        assert line["balance"] == running
    assert running == body["closing_balance"] == body["opening_balance"] + body["total_in"] - body["total_out"] == 55
    assert len(list(csv.reader(StringIO("".join(as_csv.stream(document(built(alice, wallet)))))))) == 8 + 12


def test_csv_says_the_same_in_major_units(alice, pot):
    answer = fetch(alice, pot, f"{JANUARY}&format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = f"statement-{pot.id}-2026-01-01-to-2026-01-31.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    rows = list(csv.reader(StringIO(answer.body.decode())))
    assert rows[:6] == [
        ["Wallet", str(pot.id)], ["Name", "Savings"], ["Owner", "Alice <alice@example.com>"], ["Currency", "USD"],
        ["From", "2026-01-01"], ["To", "2026-01-31"],
    ]  # fmt: skip
    assert rows[6:] == [
        [],
        [column.title for column in COLUMNS],
        ["", "2026-01-01", "Opening balance", "", "", "", "", "", "10.00"],
        ["2", "2026-01-01 00:00:00", "deposit", "Sale 17", "order-17", "", "5.00", "", "15.00"],
        ["3", "2026-01-31 23:59:59", "transfer", "Lunch", "", str(pot.bobs.id), "", "1.50", "13.50"],
        ["", "2026-01-31", "Closing balance", "", "", "", "5.00", "1.50", "13.50"],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_no_file_runs_a_formula(alice, shop, start):
    evil = f'{start}HYPERLINK("http://evil.example";"Click")'
    wallet = opened(alice, name=evil)
    deposit(shop, wallet, 100, "2026-01-10", description=evil, reference=evil)
    rows = list(csv.reader(StringIO(fetch(alice, wallet, f"{JANUARY}&format=csv").body.decode(), newline="")))
    assert rows[9][3:5] == [f"'{evil}", f"'{evil}"] and rows[1] == ["Name", f"'{evil}"]
    cells = [
        cell for row in sheet(fetch(alice, wallet, f"{JANUARY}&format=xlsx").body) for cell in row
        if "evil" in str(cell.value)
    ]  # fmt: skip
    assert [(cell.data_type, cell.hyperlink) for cell in cells] == [("s", None)] * 3


def test_xlsx_says_the_same_with_numbers_for_amounts(alice, pot):
    answer = fetch(alice, pot, f"{JANUARY}&format=xlsx")
    assert answer.headers["Content-Type"] == XLSX
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    rows = [[cell.value for cell in row] for row in sheet(answer.body)]
    assert rows[2][:2] == ["Owner", "Alice <alice@example.com>"]
    assert rows[7] == [column.title for column in COLUMNS]
    assert rows[8][1:3] == ["2026-01-01", "Opening balance"] and rows[8][8] == 10
    assert rows[9] == [2, datetime(2026, 1, 1), "deposit", "Sale 17", "order-17", None, 5, None, 15]  # noqa: DTZ001
    assert rows[10][5:] == [str(pot.bobs.id), None, 1.5, 13.5]
    assert rows[11][2] == "Closing balance" and rows[11][6:] == [5, 1.5, 13.5]


def test_an_amount_too_long_for_a_number_is_text_in_xlsx(alice, shop):
    wallet = opened(alice)
    deposit(shop, wallet, 10**15 - 1, "2026-01-10")
    deposit(shop, wallet, 2, "2026-01-11")
    cells = list(sheet(as_xlsx.write(document(built(alice, wallet))).read()))
    assert (cells[9][8].value, cells[9][8].number_format) == (9_999_999_999_999.99, "#,##0.00")
    assert (cells[10][8].value, cells[10][8].data_type) == ("10,000,000,000,000.01", "s")


@pytest.mark.parametrize(("currency", "amount", "written"), [("JPY", 7, "7"), ("KWD", 7, "0.007"), ("USD", 7, "0.07")])
def test_amounts_have_the_currencys_digits(alice, shop, currency, amount, written):
    wallet = opened(alice, currency=currency)
    deposit(shop, wallet, amount, "2026-01-10")
    rows = list(csv.reader(StringIO(fetch(alice, wallet, f"{JANUARY}&format=csv").body.decode())))
    assert rows[-1][6] == written
    assert f"\n{written}\n" in pdf_text(as_pdf.write(document(built(alice, wallet))).read())


def test_pdf_says_the_same(alice, pot):
    answer = fetch(alice, pot, f"{JANUARY}&format=pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].endswith('.pdf"')
    text = pdf_text(answer.body)
    for piece in (
        "Statement", "1 Jan 2026 – 31 Jan 2026", "Alice <alice@example.com>", "Savings, USD", str(pot.id),
        "Opening balance", "10.00", "Sale 17", "deposit · order-17", "5.00", "Lunch", "1.50", "Closing balance",
        "13.50", "Page 1 of 1",
    ):  # fmt: skip
        assert piece in text


def test_a_long_pdf_repeats_its_header_and_counts_its_pages(alice, shop):
    wallet = opened(alice)
    for number in range(60):
        deposit(shop, wallet, 100, "2026-01-10", description=f"Sale {number}")
    pages = [page.extract_text() for page in PdfReader(as_pdf.write(document(built(alice, wallet)))).pages]
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page and "Description" in page
    assert [sum(f"Sale {number}\n" in page for page in pages) for number in range(60)] == [1] * 60


def test_pdfs_made_at_once_dont_spoil_each_others_letters(alice, pot):
    """Each file has the shapes of its letters cut out of the same font: done by two threads at once, they get mixed."""
    quiet = SimpleNamespace(opening=0, total_in=0, total_out=0, closing=0, low=0, high=0, lines=lambda: iter(()))
    wanted = replace(built(alice, pot), entries=quiet)
    wanted.wallet.name = "".join(map(chr, range(0xC0, 0x180)))
    alone, interval = letters(as_pdf.write(document(wanted))), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(6) as threads:
            together = list(threads.map(lambda _: letters(as_pdf.write(document(wanted))), range(60)))
    finally:
        sys.setswitchinterval(interval)
    assert together == [alone] * 60


@pytest.mark.parametrize("text", ["Ọlá Ńkẹ́ ₦500", "Привет мир", "中文 and 😀", "مرحبا", "x" * 200, "a\tb\n\x01c", " "])
def test_any_text_can_be_printed(alice, shop, text):
    wallet = opened(alice, name=text)
    deposit(shop, wallet, 100, "2026-01-10", description=text, reference=text)
    for make in (as_pdf.write, as_xlsx.write):
        assert make(document(built(alice, wallet))).read()
    sample = fonts.printable(text)
    assert all(fonts.stringWidth(line, fonts.REGULAR, 8) <= 50 for line in fonts.wrap(sample, fonts.REGULAR, 8, 50))
    assert "Привет" in fonts.printable("Привет 中") and fonts.printable("Привет 中").endswith("�")


def test_what_is_too_long_for_a_file_is_refused_before_it_is_made(alice, pot, monkeypatch):
    monkeypatch.setattr(formats, "MOST_LINES", {"pdf": 1, "xlsx": 2})
    refused = fetch(alice, pot, f"{JANUARY}&format=pdf")
    assert (refused.status, refused.code) == (400, "validation_error")
    assert "2 lines" in refused.body["detail"] and "csv" in refused.body["detail"]
    assert [fetch(alice, pot, f"{JANUARY}&format={name}").status for name in ("xlsx", "csv", "json")] == [200] * 3


@pytest.mark.parametrize("format", ["json", "csv", "xlsx", "pdf"])
def test_an_empty_period_has_balances_and_no_lines(alice, pot, format):
    answer = fetch(alice, pot, f"from=2026-01-05&to=2026-01-05&format={format}")
    assert answer.status == 200
    if format == "json":
        body = answer.body
        assert (body["lines"], body["total_in"], body["total_out"]) == ([], 0, 0)
        assert body["opening_balance"] == body["closing_balance"] == 1_500
    elif format == "csv":
        assert [row[2] for row in csv.reader(StringIO(answer.body.decode())) if len(row) == 9][1:] == [
            "Opening balance", "Closing balance",
        ]  # fmt: skip
    elif format == "xlsx":
        assert [row[8].value for row in sheet(answer.body)][8:] == [15, 15]
    else:
        assert pdf_text(answer.body).count("15.00") == 4


@pytest.mark.parametrize("format", ["json", "csv", "xlsx", "pdf"])
def test_a_stranger_is_told_the_same_as_for_what_isnt_there(alice, charlie, pot, format):
    theirs = fetch(charlie, pot, f"{JANUARY}&format={format}")
    nobodys = charlie.http.get(f"wallets/{uuid4()}/statement?{JANUARY}&format={format}")
    assert (theirs.status, theirs.code) == (nobodys.status, nobodys.code) == (404, "not_found")
    assert theirs.headers["Content-Type"] == "application/problem+json"


def test_viewers_and_services_that_may_read_get_it(alice, bob, shop, pot):
    assert fetch(bob, pot, JANUARY).status == 404
    alice.http.post(f"wallets/{pot.id}/members", {"user": "bob@example.com", "role": "viewer"})
    assert fetch(bob, pot, JANUARY).status == fetch(shop, pot, f"{JANUARY}&format=csv").status == 200
    refused = fetch(service("till", ("deposits:write",)), pot, JANUARY)
    assert (refused.status, refused.code) == (403, "permission_denied")


@pytest.mark.parametrize(
    "query",
    [
        "", "from=2026-01-01", "to=2026-01-31", "from=2026-01-02&to=2026-01-01", "from=2026-02-30&to=2026-03-01",
        "from=yesterday&to=today", "from=2026-01-01T00:00:00Z&to=2026-01-31", "from=20260101&to=20260131",
        "from=2026-01-01&from=2026-01-02&to=2026-01-31", f"{JANUARY}&format=exe", f"{JANUARY}&format=",
        f"{JANUARY}&x=1", "from=0&to=1", "from=-0001-01-01&to=2026-01-01", "from=10000-01-01&to=10000-01-02",
    ],
)  # fmt: skip
def test_silly_questions_are_refused(alice, pot, query):
    answer = fetch(alice, pot, query)
    assert (answer.status, answer.code) == (400, "validation_error")
    assert answer.body["errors"]


def test_the_whole_calendar_is_a_period(alice, pot):
    body = fetch(alice, pot, "from=0001-01-01&to=9999-12-31").body
    assert (body["opening_balance"], body["closing_balance"], len(body["lines"])) == (0, 1_375, 4)


def test_the_accept_header_plays_no_role(alice, pot):
    answer = alice.http.get(f"wallets/{pot.id}/statement?{JANUARY}&format=csv", Accept="application/json")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert alice.http.get(f"wallets/{pot.id}/statement?{JANUARY}", Accept="text/csv").body["wallet"] == str(pot.id)


def test_the_openapi_document_tells_of_every_format(client):
    told = client.get("/api/schema").json()["paths"]["/api/v1/wallets/{id}/statement"]["get"]
    assert set(told["responses"]["200"]["content"]) == {"application/json", "text/csv", "application/pdf", XLSX}
    parameters = {parameter["name"]: parameter for parameter in told["parameters"]}
    assert parameters["from"]["required"] and parameters["from"]["schema"] == {"type": "string", "format": "date"}
    assert parameters["format"]["schema"]["enum"] == ["csv", "json", "pdf", "xlsx"]


# --- From a shell ------------------------------------------------------------------------------------------------


def export(*options):
    """What export_statement prints."""
    out = StringIO()
    call_command("export_statement", *map(str, options), "--quiet", stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("format", ["csv", "xlsx", "pdf"])
def test_a_statement_is_exported_from_a_shell(pot, tmp_path, format):
    assert export(pot.id, "--month", "2026-01", "--format", format, "--into", tmp_path / "new") == ""
    (file,) = (tmp_path / "new").iterdir()
    assert file.name == f"statement-{pot.id}-2026-01-01-to-2026-01-31.{format}"
    if format == "csv":
        assert "".join(as_csv.stream(document(built(pot.person, pot)))) == file.read_bytes().decode()


def test_an_account_of_ours_is_exported_as_well(pot, tmp_path):
    export("assets:clearing", "--since", "2026-01-01", "--until", "2026-01-31", "--into", tmp_path)
    (file,) = tmp_path.iterdir()
    assert "Closing balance" in file.read_text()


def test_an_export_of_all_goes_on_where_it_was(pot, tmp_path):
    out = StringIO()
    call_command("export_statement", "--all", "--month", "2026-01", "--into", str(tmp_path), "--dry-run", stdout=out)
    assert out.getvalue().startswith("2 files would be") and not list(tmp_path.iterdir())
    export("--all", "--month", "2026-01", "--into", tmp_path)
    first, second = sorted(tmp_path.iterdir())
    first.write_text("Here already.")
    second.unlink()
    export("--all", "--month", "2026-01", "--into", tmp_path)
    assert first.read_text() == "Here already." and "Closing balance" in second.read_text()


@pytest.mark.parametrize(("options", "said"), [
    (["--month", "2026-01"], "Say whose"),
    (["--all"], "and a --month"),
    (["x", "--all", "--month", "2026-01"], "Say whose"),
    ([uuid4(), "--month", "2026-01"], "wallet"),
    ([uuid4(), "--since", "2026-02-01", "--until", "2026-01-01"], "ends before|end before"),
    (["liabilities:wallets", "--month", "2026-01"], "every wallet"),
])  # fmt: skip
def test_what_cant_be_exported_is_said_and_nothing_is_written(pot, tmp_path, options, said):
    with pytest.raises(CommandError, match=said):
        export(*options, "--into", tmp_path)
    assert not list(tmp_path.iterdir())
