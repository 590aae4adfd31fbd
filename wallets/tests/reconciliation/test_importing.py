"""The same file once, the same line once, all of it or nothing; also when two do it at once."""

from datetime import date
from hashlib import sha256

import pytest

from users.models import AuditEvent
from wallets.models import Match, ReconciledAccount, Statement, StatementLine
from wallets.reconciliation.formats.lines import StatementRefused
from wallets.reconciliation.importing import Upload, import_statement
from wallets.tests.reconciliation.conftest import FINA, NOW, Row, as_csv, day
from wallets.tests.reconciliation.test_messages import MT940
from wallets.tests.test_once import at_once

FEE = Row(3, -50, description="Bank charge")
FIRST = [Row(1, -400, "ref-0001", "id-1"), Row(2, 900, "ref-0002", "id-2"), FEE]


def stored():
    return StatementLine.objects.count()


def test_a_statement_is_kept_with_its_lines_and_who_imported_it(desk):
    imported = desk.state(FIRST, opening=1_000, closing=1_450)
    statement = Statement.objects.get()
    assert imported.statement == statement and imported.fresh
    assert (statement.first_on, statement.last_on, statement.lines, statement.new_lines) == (day(1), day(3), 3, 3)
    assert (statement.opening_balance, statement.closing_balance, desk.account.since) == (1_000, 1_450, day(1))
    line = StatementLine.objects.get(reference="ref-0001")
    assert (line.number, line.booked_on, line.amount, line.external_id) == (2, day(1), -400, "id-1")
    assert line.names == ["ref-0001", "id-1"]
    deed = AuditEvent.objects.get(action="statement.imported")
    assert (deed.actor_id, deed.object_id, deed.data["new"]) == ("fina", str(statement.pk), 3)


def test_the_same_file_again_is_nothing(desk):
    desk.state(FIRST)
    again = desk.state(FIRST, name="copy.csv")
    assert (again.fresh, again.statement.file_name, Statement.objects.count(), stored()) == (
        False,
        "statement.csv",
        1,
        3,
    )


def test_the_same_file_for_another_account_is_another_statement(desk):
    desk.state(FIRST)
    upload = Upload("flutterwave", "NGN", "a.csv", as_csv(FIRST), "csv", "full")
    assert import_statement(upload, by=FINA, now=NOW).fresh
    assert (ReconciledAccount.objects.count(), stored()) == (2, 6)


def test_a_line_in_two_files_counts_once(desk):
    desk.state(FIRST)
    imported = desk.state([*FIRST[1:], Row(4, 70, "ref-0004", "id-4")])
    assert (imported.known_lines, imported.statement.new_lines, stored()) == (2, 1, 4)


def test_lines_that_are_really_equal_both_count_and_once_each(desk):
    desk.state([FEE])
    assert desk.state([FEE, FEE]).statement.new_lines == 1
    assert desk.state([FEE, FEE, FIRST[0]]).statement.new_lines == 1
    assert stored() == 3


def test_the_providers_id_names_a_line_whatever_else_is_written_differently(desk):
    desk.state([Row(1, -400, "ref-0001", "id-1", "Transfer")])
    assert desk.state([Row(2, -400, "ref-0001", "id-1", "TRANSFER TO CHIDI")]).statement.new_lines == 0
    assert desk.state([Row(2, 400, "ref-0001", "id-1", "Reversal")]).statement.new_lines == 1


@pytest.mark.parametrize(
    ("before", "after", "then"),
    [
        ("pending", "success", "booked"), ("pending", "failed", "failed"), ("success", "reversed", "reversed"),
        ("success", "pending", "booked"), ("failed", "success", "failed"), ("reversed", "pending", "reversed"),
    ],
)  # fmt: skip
def test_a_known_lines_status_goes_on_and_never_back(desk, before, after, then):
    desk.state([Row(1, -400, "ref-0001", "id-1", status=before)])
    imported = desk.state([Row(1, -400, "ref-0001", "id-1", status=after)])
    assert (StatementLine.objects.get().status, imported.changed) == (then, int(then != _usual(before)))


def _usual(word):
    return "booked" if word == "success" else word


def test_a_match_is_undone_when_the_provider_takes_its_word_back(desk):
    desk.book((1, -400, "ref-0001"))
    desk.state([Row(1, -400, "ref-0001", "id-1")])
    desk.reconcile()
    desk.state([Row(1, -400, "ref-0001", "id-1", status="reversed")])
    assert Match.objects.get().undone_at == NOW and StatementLine.objects.get().match is None
    desk.reconcile()
    assert desk.kinds() == [("status", 0, -400)]


def test_a_file_with_a_mistake_leaves_nothing(desk):
    with pytest.raises(StatementRefused):
        desk.state([*FIRST, Row(4, 5, "x" * 300)])
    assert (Statement.objects.count(), stored(), ReconciledAccount.objects.count()) == (0, 0, 0)


def test_an_account_takes_the_statements_of_one_account_there(desk):
    def load(text):
        return import_statement(Upload("paystack", "NGN", "a.sta", text.encode(), "mt940"), by=FINA, now=NOW)

    load(MT940)
    assert desk.account.external_account == "NGBANK/0123456789"
    with pytest.raises(StatementRefused, match="NGBANK/999"):
        load(MT940.replace("0123456789", "999"))
    assert Statement.objects.count() == 1


def test_an_older_statement_makes_the_account_begin_earlier(desk):
    desk.book((1, -400, "ref-0001"), (20, 900, "ref-0002"))
    desk.state([Row(20, 900, "ref-0002")])
    assert desk.reconcile().matched_items == 1
    desk.state([Row(1, -400, "ref-0001")])
    assert (desk.account.since, desk.reconcile().matched_items, desk.kinds()) == (day(1), 1, [])


def test_two_who_import_one_file_at_once_import_it_once(committed, desk):
    def work(_):
        return desk.state(FIRST * 50).fresh

    assert sorted(at_once(4, work)) == [False, False, False, True]
    assert (Statement.objects.count(), stored()) == (1, 150)


def test_two_files_that_overlap_at_once_tell_each_line_once(committed, desk):
    rows = [Row(number % 28, number + 1, "", f"id-{number}") for number in range(400)]

    def work(number):
        return desk.state(rows[number * 100 : number * 100 + 200]).statement.new_lines

    assert sum(at_once(3, work)) == stored() == 400


def test_a_digest_is_of_the_bytes(desk):
    content = as_csv(FIRST)
    imported = import_statement(Upload("paystack", "NGN", "a.csv", content, "csv", "full"), by=FINA, now=NOW)
    assert bytes(imported.statement.digest) == sha256(content).digest()
    assert imported.statement.first_on == date(2026, 3, 2)
