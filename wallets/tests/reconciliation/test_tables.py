"""CSV and XLSX: mappings, what is found by looking, balances, and files that mean harm."""

import io
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter

from wallets.reconciliation.formats import files, from_xlsx
from wallets.reconciliation.formats.columns import Columns
from wallets.reconciliation.formats.lines import Line, StatementRefused

PLAIN = Columns({"date": "Date", "amount": "Amount", "reference": "Ref"})
BANK = Columns(
    {
        "date": "Buchungstag", "debit": "Soll", "credit": "Haben", "description": "Text", "balance": "Saldo",
    },
    decimal=",", date_formats=("%d.%m.%Y",), skip_undated=True,
)  # fmt: skip
PROVIDER = Columns(
    {
        "date": "Date", "amount": "Amount", "direction": "Type", "currency": "Currency", "reference": "Reference",
        "external_id": "Id", "status": "Status", "fee": "Fee",
    },
    fee_beside=True,
)  # fmt: skip
BANK_FILE = """Musterbank AG;;;;
Konto 12345;;;;

Buchungstag;Text;Soll;Haben;Saldo
02.03.2026;"Überweisung; an A";400,00;;9.600,00
03.03.2026;Eingang;;1.250,50;10.850,50
Summe;;400,00;1.250,50;
"""


def read(text, by=PLAIN, format="csv", currency="NGN", **more):
    content = text if isinstance(text, bytes) else text.encode()
    return files.read(content, format, currency, by=by, **more)


def troubles(content, by=PLAIN, **more):
    with pytest.raises(StatementRefused) as refused:
        read(content, by, **more)
    return [(trouble.line, trouble.column) for trouble in refused.value.troubles]


def test_a_bank_s_table_with_a_preamble_and_a_total():
    file = read(BANK_FILE, BANK, currency="EUR")
    assert file.lines == [
        Line(5, date(2026, 3, 2), -40_000, description="Überweisung; an A"),
        Line(6, date(2026, 3, 3), 125_050, description="Eingang"),
    ]
    assert (file.opening, file.closing, file.passed_over) == (1_000_000, 1_085_050, 1)


def test_newest_first_is_as_good():
    head, (first, second) = BANK_FILE.splitlines()[:4], BANK_FILE.splitlines()[4:6]
    file = read("\n".join([*head, second, first]), BANK, currency="EUR")
    assert (file.opening, file.closing) == (1_000_000, 1_085_050)


def test_a_missing_line_shows_in_the_balances():
    assert troubles(BANK_FILE.replace("10.850,50", "10.851,50"), BANK, currency="EUR") == [(6, "balance")]


def test_a_provider_s_table_with_fees_beside_and_other_currencies():
    file = read(
        "Id,Date,Type,Amount,Fee,Currency,Reference,Status\n"
        "1,2026-03-02,debit,400.00,10.75,NGN,pay-1,success\n"
        "2,2026-03-02T09:30:00Z,credit,1000,,NGN,dep-1,successful\n"
        "3,2026-03-02,debit,70,,USD,pay-2,success\n"
        "4,2026-03-03,debit,55,,NGN,pay-3,failed\n",
        PROVIDER,
    )
    assert [(line.external_id, line.amount, line.fee, line.status) for line in file.lines] == [
        ("1", -41_075, 1_075, "booked"), ("2", 100_000, 0, "booked"), ("4", -5_500, 0, "failed"),
    ]  # fmt: skip
    assert (file.passed_over, sum(line.moved for line in file.lines)) == (1, 58_925)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_found_by_looking(encoding):
    file = read("Date,Amount,Ref\n2026-03-02,1,Zoë\n".encode(encoding))
    assert [line.reference for line in file.lines] == ["Zoë"]


def test_the_encoding_may_be_said():
    content = "Date,Amount,Ref\n2026-03-02,1,Łódź\n".encode("cp1250")
    assert read(content, encoding="cp1250").lines[0].reference == "Łódź"
    assert troubles(content, encoding="klingon") == [(0, "")]
    assert troubles(content, encoding="utf-8") == [(2, "")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_looking(delimiter):
    text = "Date,Amount,Ref\n2026-03-02,1.5,a\n2026-03-03,-2,b\n".replace(",", delimiter)
    assert [line.amount for line in read(text).lines] == [150, -200]


def test_columns_may_go_by_number():
    by = Columns({"date": "2", "amount": "3"}, headings=False, skip_rows=1)
    assert read("nonsense\nx,2026-03-02,5\n", by).lines == [Line(2, date(2026, 3, 2), 500)]


def test_a_sign_may_mean_the_other_way():
    by = Columns({"date": "Date", "amount": "Amount"}, negate=True)
    assert read("Date,Amount\n2026-03-02,5\n", by).lines[0].amount == -500


WRONG = [
    ("Date,Amount,Ref\n2026-03-02,=1+1,a\n", [(2, "Amount")]),
    ("Date,Amount,Ref\n2026-03-02,1,a\nx,2,b\n2026-03-04,y,c\n", [(3, "Date"), (4, "Amount")]),
    ("Date,Amount,Ref\n,5,a\n", [(2, "Date")]),
    ("Date,Amount,Ref\n2026-03-02,99999999999999999999,a\n", [(2, "Amount")]),
    ("Date,Amount,Ref\n2026-03-02,1.001,a\n", [(2, "Amount")]),
    ("Date,Amount,Ref\n2026-03-02,1," + "r" * 201 + "\n", [(2, "reference")]),
    ("Date,Amount,Ref\n2026-03-02,1,a\0b\n", [(2, "")]),
    ('Date,Amount,Ref\n2026-03-02,1,"' + "x" * 1_000_000 + '"\n', [(2, "")]),
    ('Date,Amount,Ref\n2026-03-02,1,"never closed\n', [(2, "")]),
    ("Date,Betrag\n2026-03-02,1\n", [(0, "")]),
    ("Date,Amount,Ref\n", [(0, "")]), ("", [(0, "")]), (b"\xff\xfe\x00", [(1, "")]),
    (b"\x81\x8d\x8f\n", [(1, "")]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "where"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named_by_line_and_column(content, where):
    assert troubles(content) == where


def test_a_hundred_mistakes_are_not_all_listed():
    assert len(troubles("Date,Amount,Ref\n" + "x,1,a\n" * 100)) == 20


def test_a_formula_in_a_text_stays_the_text_that_it_is():
    assert read("Date,Amount,Ref\n2026-03-02,1,\"=cmd|'/c calc'!A0\"\n").lines[0].reference == "=cmd|'/c calc'!A0"


def test_stated_balances_must_agree_with_the_lines():
    text = "Date,Amount,Ref\n2026-03-02,5,a\n"
    assert read(text, opening=1_000, closing=1_500).closing == 1_500
    with pytest.raises(StatementRefused, match=r"which makes NGN 15\.00; it closes with NGN 14\.00"):
        read(text, opening=1_000, closing=1_400)


@pytest.mark.parametrize(
    "columns", [{"date": "Date"}, {"amount": "Amount"}, {"date": "Date", "amount": "Amount", "colour": "x"}]
)
def test_a_mapping_must_make_sense(columns):
    with pytest.raises(StatementRefused):
        Columns(columns)


def workbook(*rows, formula=None):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, day)
                else:
                    sheet.write(number, column, cell)
        if formula:
            sheet.write_formula(*formula)
    return out.getvalue()


HEAD = ("Date", "Amount", "Ref")


def test_a_workbook():
    content = workbook(
        HEAD, (datetime(2026, 3, 2), 1234.5, "a"), ("2026-03-03", "-7.25", "=1+1"), (), (datetime(2026, 3, 4), 0.07, 5)  # noqa: DTZ001
    )  # fmt: skip
    file = read(content, format="xlsx")
    assert [(line.number, line.on.day, line.amount, line.reference) for line in file.lines] == [
        (2, 2, 123_450, "a"), (3, 3, -725, "=1+1"), (5, 4, 7, "5"),
    ]  # fmt: skip


def test_a_formula_in_a_workbook_is_no_amount():
    content = workbook(HEAD, ("2026-03-02", 1, "a"), formula=(1, 1, "=1+1", None, 2))
    assert troubles(content, format="xlsx") == [(2, "Amount")]


@pytest.mark.parametrize("amount", [0.001, 12345678901234.567])
def test_a_number_with_more_digits_than_money_has_is_refused(amount):
    assert troubles(workbook(HEAD, ("2026-03-02", amount, "a")), format="xlsx") == [(2, "Amount")]


def packed(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return out.getvalue()


def changed(content, name, old, new):
    """A workbook with something in one of its parts replaced."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = {part: book.read(part) for part in book.namelist()}
    assert old in parts[name]
    return packed(parts | {name: parts[name].replace(old, new)})


SHEET = "xl/worksheets/sheet1.xml"


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    bomb = packed({"xl/workbook.xml": b"0" * 30_000_000})
    assert len(bomb) < 100_000
    assert troubles(bomb, format="xlsx") == [(0, "")]


def test_a_cell_in_row_a_billion_takes_no_time(monkeypatch):
    monkeypatch.setattr(from_xlsx, "MOST_ROWS", 1_000)
    content = changed(workbook(HEAD, ("2026-03-02", 1, "a")), SHEET, b'<row r="2"', b'<row r="1000000000"')
    with pytest.raises(StatementRefused):
        read(content, format="xlsx")


def test_entities_in_a_workbook_are_refused():
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha">]><worksheet'
    content = changed(workbook(HEAD, ("2026-03-02", 1, "a")), SHEET, b"<worksheet", bomb)
    assert troubles(content, format="xlsx") == [(0, "")]


@pytest.mark.parametrize("content", [b"", b"PK", b"Date,Amount", packed({"a": "b"}), b"\xd0\xcf\x11\xe0" * 100])
def test_what_is_no_workbook_is_refused(content):
    assert troubles(content, format="xlsx") == [(0, "")]
