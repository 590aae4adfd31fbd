"""Balances that were damaged are made anew from the entries: shown first, and only where that is provably right."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from ledger import holds, rebuild, verify
from ledger.models import Balance, DayBalance, Entry
from ledger.requests import Place
from ledger.tests.conftest import NOW

TABLES = ("ledger_entry", "ledger_balance", "ledger_daybalance", "ledger_hold")
APPLY = ("--apply", "--database", "owner")


def run(*options):
    """The command's exit code and what it prints."""
    out = StringIO()
    try:
        call_command("rebuild_balances", *options, stdout=out)
        return 0, out.getvalue()
    except SystemExit as stopped:
        return stopped.code, out.getvalue()


@pytest.fixture
def damage(sealed):
    """A way to run SQL as the owner with the triggers off; Alice has 400 held as well."""
    with transaction.atomic():
        hold = Place(sealed.alice.id, 400, "hold", expires_at=NOW + timedelta(days=9))
        holds.place(hold, now=NOW + timedelta(days=3))

    def damage(statement: str) -> None:
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(statement)
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    return damage


def kept():
    """All balances, those of now and those of sealed days, and the entries."""
    return [list(model.objects.order_by("pk").values_list()) for model in (Balance, DayBalance, Entry)]


ALICE = "(SELECT id FROM ledger_account WHERE code LIKE '%%alice')"
REPARABLE = [
    ("a balance", f"UPDATE ledger_balance SET balance = balance - 5 WHERE account_id = {ALICE}", "-695"),
    ("a version", f"UPDATE ledger_balance SET version = version + 1 WHERE account_id = {ALICE}", "keeps version"),
    ("what is held", f"UPDATE ledger_balance SET held = 0 WHERE account_id = {ALICE}", "400"),
    ("what is pending", f"UPDATE ledger_balance SET pending = 7 WHERE account_id = {ALICE}", "400, 7"),
    ("a sealed day", f"UPDATE ledger_daybalance SET balance = 0 WHERE account_id = {ALICE}", "on 2026-01-21"),
    ("a sealed day's turnover", "UPDATE ledger_daybalance SET debits = 9, credits = 9", "credits, balance 9, 9"),
    ("a sealed day's row", "DELETE FROM ledger_daybalance", "nothing, nothing, nothing"),
    ("one row too many", "INSERT INTO ledger_daybalance (account_id, day, debits, credits, balance)"
     f" VALUES ({ALICE}, '2026-01-19', 1, 0, 1)", "it is nothing, nothing, nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "statement", "said"), REPARABLE, ids=[what for what, _, _ in REPARABLE])
def test_what_is_damaged_is_shown_and_then_repaired(damage, what, statement, said):
    right = kept()
    damage(statement.replace("%%", "%"))
    wrong = kept()
    code, out = run()
    assert code == 1 and said in out and kept() == wrong != right
    code, out = run(*APPLY)
    assert code == 0 and said in out and "repaired" in out
    assert kept() == right
    assert verify.clean()


def test_balances_that_are_right_stay(damage):
    right = kept()
    assert run() == (0, "All balances are right.\n")
    assert run("--quiet", *APPLY) == (0, "")
    assert kept() == right


def test_the_applications_role_cant_repair(damage):
    damage("UPDATE ledger_balance SET held = 0")
    wrong = kept()
    with pytest.raises(CommandError, match="add --database owner"):
        run("--apply")
    assert kept() == wrong


IRREPARABLE = [
    ("an entry that is gone", "DELETE FROM ledger_entry WHERE version = 1 AND balance = -1000", "don't add up"),
    ("an amount", "UPDATE ledger_entry SET amount = amount + 1 WHERE balance = -1000", "don't add up"),
    ("sealed entries, and what follows from them", "UPDATE ledger_entry SET amount = amount - 1, balance = balance - 1"
     " WHERE transaction_id = (SELECT id FROM ledger_transaction WHERE reference = 't:1') AND leg = 2;"
     "UPDATE ledger_entry SET balance = balance - 1 WHERE leg = 2 AND version > 2 AND transaction_id ="
     " (SELECT id FROM ledger_transaction WHERE reference = 't:2')", "what wasn't sealed"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "statement", "said"), IRREPARABLE, ids=[what for what, _, _ in IRREPARABLE])
def test_damaged_entries_are_left_to_a_backup(damage, what, statement, said):
    damage(statement)
    wrong = kept()
    assert run()[0] == 1
    with pytest.raises(CommandError, match=said):
        run(*APPLY)
    assert kept() == wrong


def test_the_triggers_are_on_again(damage):
    damage("DELETE FROM ledger_daybalance")
    run(*APPLY)
    assert rebuild.differing_days() == []
    (check,) = [finding for finding in verify.verify() if "triggers" in finding.check.says]
    assert check.total == 0
