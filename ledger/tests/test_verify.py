"""verify_ledger finds what somebody with the owner's password broke, and names it."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connections, transaction

from ledger import holds, verify
from ledger.requests import Place
from ledger.tests.conftest import NOW

TABLES = ("ledger_entry", "ledger_transaction", "ledger_balance", "ledger_hold", "ledger_account")

DAMAGE = [
    ("zero in each currency", "UPDATE ledger_entry SET amount = amount - 1 WHERE leg = 2"),
    ("two or more entries", "DELETE FROM ledger_entry WHERE leg = 1"),
    ("two or more entries", "DELETE FROM ledger_entry"),
    ("belongs to a transaction", "DELETE FROM ledger_transaction"),
    ("its account's currency", "UPDATE ledger_account SET currency = 'USD' WHERE code LIKE 'assets:%'"),
    ("the triggers", "DROP TRIGGER ledger_hold_laws ON ledger_hold"),
    ("versions have no gap", "UPDATE ledger_entry SET version = 9 WHERE leg = 2"),
    ("versions have no gap", "UPDATE ledger_entry SET balance = balance - 1, amount = amount WHERE leg = 2"),
    ("the last entry's", "UPDATE ledger_balance SET balance = balance - 5 WHERE version > 0"),
    ("open holds say", "UPDATE ledger_balance SET held = 7 WHERE floor = 0 AND version > 0"),
    ("open holds say", "UPDATE ledger_hold SET amount = amount + 1"),
]


@pytest.fixture
def damaged(committed_books):
    """A way to run SQL as the owner with the tables' triggers off, and to have them on again afterwards."""
    with transaction.atomic():
        committed_books.fund(committed_books.alice, 1_000)
        holds.place(Place(committed_books.alice.id, 400, "hold"), now=NOW)

    def damage(statement: str) -> None:
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(statement)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    yield damage
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE TRIGGER ledger_hold_laws AFTER INSERT OR UPDATE ON ledger_hold"
            " FOR EACH ROW EXECUTE FUNCTION ledger_move_reserved()"
        )


@pytest.mark.parametrize(("law", "statement"), DAMAGE, ids=[f"{law}: {what[:40]}" for law, what in DAMAGE])
def test_damage_is_found_and_named(damaged, law, statement):
    assert verify.clean()
    damaged(statement)
    broken = {finding.check.says: finding for finding in verify.verify() if finding.total}
    found = [finding for says, finding in broken.items() if law in says]
    assert found and found[0].shown


def test_the_command_says_so_and_exits_with_1(damaged):
    damaged("UPDATE ledger_balance SET balance = balance - 5 WHERE version > 0")
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_ledger", "--quiet", stdout=out)
    assert stopped.value.code == 1
    assert "keeps version 1" in out.getvalue()


def test_the_command_is_content_with_clean_books(books):
    books.fund(books.alice, 1_000)
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "The books are clean" in out.getvalue()
    assert out.getvalue().count("✓") == len(verify.checks())
