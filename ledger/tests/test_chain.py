"""Whatever the owner of the tables changes on a sealed day, with the triggers off, is named."""

import pytest
from django.db import connections, transaction

from ledger import sql, verify
from ledger.models import Transaction
from ledger.seals import chain
from ledger.seals.sealing import head
from ledger.tests.closed import THIRD, close

TABLES = ("ledger_transaction", "ledger_entry", "ledger_daybalance", "ledger_seal", "ledger_sealedrows")


def broken(**more):
    with sql.snapshot():
        return list(chain.broken(**more))


@pytest.fixture
def tampered(sealed):
    """A way to change the sealed books as their owner, with the triggers off."""

    def tamper(statement: str) -> list[str]:
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(statement)
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        return broken()

    return tamper


THE = "(SELECT id FROM ledger_transaction WHERE reference = 't:1')"
THE_DAY = "WHERE day = '2026-01-21'"
NEW = "01900000-0000-7000-8000-000000000001"
FORGED = (
    "INSERT INTO ledger_transaction (id, kind, reference, external_reference, description, metadata, posted_at,"
    " effective_at) VALUES ('{id}', 'x', 'forged', '', '', '{{}}', '{at}', '{at}')"
)
MORE_ENTRIES = (
    "INSERT INTO ledger_entry (account_id, lane, version, transaction_id, leg, amount, balance, posted_at)"
    " SELECT account_id, lane, 99, transaction_id, 3, amount, balance, posted_at FROM ledger_entry"
)
MORE_BALANCES = (
    "INSERT INTO ledger_daybalance (account_id, day, debits, credits, balance)"
    " SELECT account_id, '2026-01-21', 0, 0, 1000 FROM ledger_daybalance"
)
FORGED_PART = f"UPDATE ledger_seal SET parts = jsonb_set(parts, '{{{{{{part}}}}}}', to_jsonb('1 f0'::text)) {THE_DAY}"
DOESNT_FOLLOW = "its seal doesn't follow from the one before it and from what it says to be over"

# What is tampered with, and the first thing that is said of it. {the} is a transaction of the second day.
TAMPERING = [
    ("a kind", f"UPDATE ledger_transaction SET kind = 'x' WHERE id = {THE}", "transaction {the} was changed"),
    ("a date of effect", f"UPDATE ledger_transaction SET effective_at = '2026-01-20' WHERE id = {THE}",
     "transaction {the} was changed"),
    ("metadata", f"UPDATE ledger_transaction SET metadata = '{{}}' WHERE id = {THE}", "transaction {the} was changed"),
    ("a day", f"UPDATE ledger_transaction SET posted_at = posted_at + interval '1 d' WHERE id = {THE}",
     "transaction {the} is gone"),
    ("a transaction away", f"DELETE FROM ledger_transaction WHERE id = {THE}", "transaction {the} is gone"),
    ("another transaction", FORGED.format(id=NEW, at="2026-01-21 12:00Z"), f"transaction {NEW} was added"),
    ("an amount", f"UPDATE ledger_entry SET amount = amount * 2 WHERE transaction_id = {THE} AND leg = 2",
     "entry 2 of transaction {the} was changed"),
    ("an account", f"UPDATE ledger_entry SET account_id = '{NEW}' WHERE transaction_id = {THE} AND leg = 2",
     "entry 2 of transaction {the} was changed"),
    ("an entry away", f"DELETE FROM ledger_entry WHERE transaction_id = {THE} AND leg = 1",
     "entry 1 of transaction {the} is gone"),
    ("another entry", f"{MORE_ENTRIES} WHERE transaction_id = {THE} AND leg = 1",
     "entry 3 of transaction {the} was added"),
    ("a day's balance", f"UPDATE ledger_daybalance SET balance = balance + 1 {THE_DAY} AND credits = 101",
     "the balance of account {bob} was changed"),
    ("a day's balance away", f"DELETE FROM ledger_daybalance {THE_DAY} AND credits = 101",
     "the balance of account {bob} is gone"),
    ("another balance", f"{MORE_BALANCES} WHERE balance = 1000", "the balance of account {cash} was added"),
    ("contents", FORGED_PART.format(part="entries"), "entries aren't what was sealed, nor is the list of them"),
    ("a part", FORGED_PART.format(part="new"), "its seal is over new as well, of which nothing is known here"),
    ("a seal", f"UPDATE ledger_seal SET seal = sha256('') {THE_DAY}", DOESNT_FOLLOW),
    ("a seal away", f"DELETE FROM ledger_seal {THE_DAY}", "its seal is gone"),
    ("a row and what tells of it", f"DELETE FROM ledger_sealedrows {THE_DAY};"
     f" UPDATE ledger_transaction SET description = 'x' WHERE id = {THE}",
     "transactions aren't what was sealed, nor is the list of them"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "statement", "said"), TAMPERING, ids=[what for what, _, _ in TAMPERING])
def test_what_was_tampered_with_is_named(tampered, sealed, what, statement, said):
    the = Transaction.objects.get(reference="t:1").pk
    assert broken() == []
    assert tampered(statement)[0] == f"2026-01-21: {said.format(the=the, bob=sealed.bob.id, cash=sealed.cash.id)}"
    assert not verify.clean()


def test_the_first_seal_that_doesnt_follow_is_named(tampered):
    found = tampered("UPDATE ledger_seal SET seal = sha256('') WHERE day = '2026-01-20'")
    assert found == [f"2026-01-20: {DOESNT_FOLLOW}", f"2026-01-21: {DOESNT_FOLLOW}"]


def test_a_seal_that_is_gone_from_between_leaves_a_gap(tampered):
    close(THIRD)
    found = tampered("DELETE FROM ledger_seal WHERE day = '2026-01-21'")
    assert "2026-01-21 has no seal, though 2026-01-22 has one" in found


@pytest.mark.parametrize("at", ["2026-01-19 23:59:59Z", "2001-01-01"])
def test_what_was_added_before_the_first_sealed_day_is_found(tampered, at):
    found = tampered(FORGED.format(id=NEW, at=at))
    assert "1 transactions were added before 2026-01-20, the first sealed day" in found


def test_only_a_head_kept_elsewhere_tells_of_a_chain_that_was_written_anew(tampered):
    kept = head()
    tampered(
        "UPDATE ledger_transaction SET description = 'x' WHERE reference = 't:0';"
        " DELETE FROM ledger_seal; DELETE FROM ledger_sealedrows; DELETE FROM ledger_daybalance"
    )
    close()
    assert verify.clean()
    (offender,) = broken(kept=kept)
    assert offender.startswith("2026-01-21: its seal was") and offender.endswith("the chain has been written anew")


def test_a_head_that_was_kept_stays_right(sealed):
    kept = head()
    close(THIRD)
    assert broken(kept=kept) == [] != broken(kept=kept._replace(day=THIRD))
