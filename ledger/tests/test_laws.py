"""Attacks on the seven laws with raw SQL, as the application's own role: each is refused, and nothing moves."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from ledger import closing, holds, verify
from ledger.requests import Place
from ledger.seals import sealing
from ledger.tests.conftest import NOW

ENTRY = "INSERT INTO ledger_entry (account_id, lane, version, transaction_id, leg, amount, balance, posted_at) VALUES "
NEW = "'01900000-0000-7000-8000-000000000001'"
FORGED = (
    "INSERT INTO ledger_transaction"
    " (id, kind, reference, external_reference, description, metadata, posted_at, effective_at)"
    f" VALUES ({NEW}, 'x', 'forged', '', '', '{{}}', now(), now())"
)
MOVE = "UPDATE ledger_balance SET balance = {balance}, version = {version} WHERE account_id = '{account}' AND lane = 0"
SEAL = "INSERT INTO ledger_seal (day, parts, seal, sealed_at, sealed_by) VALUES ({day}, '{{}}', '', now(), '')"


def forged(posted, effective):
    return FORGED.replace("now(), now()", f"{posted}, {effective}")


def lawful(posted, effective):
    """A payment of 5 out of an unused lane of the cash to Alice, which breaks no law but by its dates."""
    return (
        "WITH t AS (" + forged(posted, effective) + "), a AS ("
        + MOVE.format(balance=-1005, version=2, account="{alice}") + "), b AS ("
        + MOVE.format(balance=5, version=1, account="{cash}").replace("lane = 0", "lane = {unused}") + ") "
        + ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, -5, -1005, {posted}), ('{{cash}}', {{unused}}, 1, {NEW}, 2, 5, 5, {posted})"
    )  # fmt: skip


# Law, what the attacker tries. {alice} and {bob} are account ids; both have one entry, of -1,000 (a credit).
ATTACKS = [
    (1, "money from nothing", "WITH t AS (" + FORGED + "), a AS ("
     + MOVE.format(balance=-2000, version=2, account="{alice}") + ") "
     + ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, -1000, -2000, now())"),
    (1, "legs that don't sum to zero", "WITH a AS (" + MOVE.format(balance=-2000, version=2, account="{alice}") + "), b AS ("
     + MOVE.format(balance=-1, version=2, account="{bob}") + ") "
     + ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, -1000, -2000, now()), ('{{bob}}', 0, 2, {NEW}, 2, 999, -1, now())"),
    (1, "a sum of zero over two currencies", "WITH a AS (" + MOVE.format(balance=-2000, version=2, account="{alice}")
     + "), b AS (" + MOVE.format(balance=1000, version=1, account="{till}") + ") "
     + ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, -1000, -2000, now()), ('{{till}}', 0, 1, {NEW}, 2, 1000, 1000, now())"),
    (1, "more entries for a transaction that is posted", "WITH a AS ("
     + MOVE.format(balance=-2000, version=2, account="{alice}") + "), b AS ("
     + MOVE.format(balance=0, version=2, account="{bob}") + ") "
     + ENTRY + "('{alice}', 0, 2, '{posted}', 3, -1000, -2000, now()), ('{bob}', 0, 2, '{posted}', 4, 1000, 0, now())"),
    (1, "an entry in a lane that isn't there", ENTRY + f"('{NEW[1:-1]}', 7, 1, {NEW}, 1, -5, -5, now()),"
     f" ('{{alice}}', 0, 2, {NEW}, 2, 5, -995, now())"),
    (2, "changing an entry", "UPDATE ledger_entry SET amount = -5000"),
    (2, "deleting an entry", "DELETE FROM ledger_entry"),
    (2, "truncating entries", "TRUNCATE ledger_entry"),
    (2, "changing a transaction", "UPDATE ledger_transaction SET kind = 'fee'"),
    (2, "deleting a transaction", "DELETE FROM ledger_transaction WHERE false"),
    (2, "truncating transactions", "TRUNCATE ledger_transaction CASCADE"),
    (2, "switching a trigger off", "ALTER TABLE ledger_entry DISABLE TRIGGER ALL"),
    (2, "dropping a trigger", "DROP TRIGGER ledger_entry_append_only ON ledger_entry"),
    (2, "playing the replica", "SET session_replication_role = replica"),
    (2, "replacing the function", "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger"
     " LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"),
    (2, "deleting an account", "DELETE FROM ledger_account"),
    (2, "changing an account's currency", "UPDATE ledger_account SET currency = 'USD'"),
    (2, "changing a lane's normal side", "UPDATE ledger_balance SET sign = 1"),
    (3, "a balance without an entry", MOVE.format(balance=-9999, version=1, account="{alice}")),
    (3, "an older version", MOVE.format(balance=0, version=0, account="{alice}")),
    (3, "a version with no entry", MOVE.format(balance=-1000, version=2, account="{alice}")),
    (3, "an entry without its balance", ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, -5, -1005, now()),"
     f" ('{{bob}}', 0, 2, {NEW}, 2, 5, -995, now())"),
    (3, "an impostor of the balances", "CREATE TEMP TABLE ledger_balance ON COMMIT DROP AS"
     " SELECT account_id, lane, currency, sign, floor, balance - 5 * (CASE account_id WHEN '{alice}' THEN 1 ELSE -1 END)"
     " AS balance, version + 1 AS version, held, pending, posted_at FROM public.ledger_balance; "
     + ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, -5, -1005, now()), ('{{bob}}', 0, 2, {NEW}, 2, 5, -995, now())"),
    (3, "a gap in the versions", "WITH a AS (" + MOVE.format(balance=-1005, version=3, account="{alice}") + "), b AS ("
     + MOVE.format(balance=-995, version=2, account="{bob}") + ") "
     + ENTRY + f"('{{alice}}', 0, 3, {NEW}, 1, -5, -1005, now()), ('{{bob}}', 0, 2, {NEW}, 2, 5, -995, now())"),
    (3, "a running balance that doesn't follow", "WITH a AS ("
     + MOVE.format(balance=-8000, version=2, account="{alice}") + "), b AS ("
     + MOVE.format(balance=-995, version=2, account="{bob}") + ") "
     + ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, -5, -8000, now()), ('{{bob}}', 0, 2, {NEW}, 2, 5, -995, now())"),
    (3, "the same version twice", ENTRY + f"('{{alice}}', 0, 1, {NEW}, 1, -5, -5, now()),"
     f" ('{{bob}}', 0, 1, {NEW}, 2, 5, 5, now())"),
    (3, "an entry before the one before", "WITH a AS (" + MOVE.format(balance=-1005, version=2, account="{alice}")
     + "), b AS (" + MOVE.format(balance=-995, version=2, account="{bob}") + ") "
     + ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, -5, -1005, '2001-01-01'), ('{{bob}}', 0, 2, {NEW}, 2, 5, -995, '2001-01-01')"),
    (3, "a lane that opens with money in it", "INSERT INTO ledger_balance (account_id, lane, currency, sign, balance,"
     " version, held, pending, posted_at) VALUES ('{alice}', 1, 'NGN', -1, -5000, 0, 0, 0, now())"),
    (3, "deleting a balance", "DELETE FROM ledger_balance"),
    (4, "spending below the floor", "WITH a AS (" + MOVE.format(balance=5, version=2, account="{alice}") + "), b AS ("
     + MOVE.format(balance=-2005, version=2, account="{bob}") + ") "
     + ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, 1005, 5, now()), ('{{bob}}', 0, 2, {NEW}, 2, -1005, -2005, now())"),
    (4, "a hold for more than there is", "INSERT INTO ledger_hold (id, account_id, kind, reference, amount, captured,"
     f" status, placed_at) VALUES ({NEW}, '{{alice}}', 'held', 'h', 1001, 0, 'open', now())"),
    (4, "forgetting what is held", "UPDATE ledger_balance SET held = 0"),
    (4, "shrinking a hold", "UPDATE ledger_hold SET amount = 1"),
    (4, "capturing more than was held", "UPDATE ledger_hold SET captured = 401, status = 'captured', closed_at = now()"),
    (4, "capturing part and staying open", "UPDATE ledger_hold SET captured = 100"),
    (4, "closing without saying when", "UPDATE ledger_hold SET status = 'released'"),
    (4, "deleting a hold", "DELETE FROM ledger_hold"),
    (4, "a floor above the balance", "UPDATE ledger_balance SET floor = 5000 WHERE account_id = '{alice}'"),
    (5, "a reference that is taken", FORGED.replace("'forged'", "'fund:liabilities:wallets:alice'")),
    (6, "an entry beyond the range", "WITH a AS (" + MOVE.format(balance=-1000000000001001, version=2, account="{alice}")
     + ") " + ENTRY + f"('{{alice}}', 0, 2, {NEW}, 1, -1000000000000001, -1000000000001001, now())"),
    (6, "a 64-bit overflow", "UPDATE ledger_balance SET balance = 9223372036854775807 + balance * -1"),
    (6, "a balance beyond the range", "UPDATE ledger_balance SET balance = -9000000000000001"),
    (7, "a transaction effective on a closed day", lawful(posted="now()", effective="'2026-01-20 12:00Z'")),
    (7, "a transaction posted on a closed day", lawful(posted="'2026-01-20 12:00Z'", effective="'2026-01-20 12:00Z'")),
    (7, "a transaction effective before all closed days", lawful(posted="now()", effective="'2001-01-01'")),
    (7, "a transaction effective after it was posted", lawful(posted="now()", effective="now() + interval '1 s'")),
    (7, "a transaction without entries on a closed day", forged("now()", "'2026-01-20 12:00Z'")),
    (7, "an entry posted on a closed day", lawful(posted="now()", effective="now()").replace("5, 5, now()",
     "5, 5, '2026-01-20 12:00Z'")),
    (7, "opening what is closed", "UPDATE ledger_boundary SET opens = '2026-01-20'"),
    (7, "opening everything", "UPDATE ledger_boundary SET opens = NULL"),
    (7, "closing a day that isn't over", "UPDATE ledger_boundary SET opens = (now() AT TIME ZONE 'UTC')::date + 1"),
    (7, "closing for ever", "UPDATE ledger_boundary SET opens = 'infinity'"),
    (7, "another boundary", "INSERT INTO ledger_boundary (id, moved_by) VALUES (2, '')"),
    (7, "no boundary", "DELETE FROM ledger_boundary"),
    (7, "truncating the boundary", "TRUNCATE ledger_boundary"),
    (7, "a balance of a closed day", "INSERT INTO ledger_daybalance (account_id, day, debits, credits, balance)"
     " VALUES ('{till}', '2026-01-20', 5, 0, 5)"),
    (7, "changing a day's balance", "UPDATE ledger_daybalance SET balance = 0"),
    (7, "deleting a day's balance", "DELETE FROM ledger_daybalance"),
    (7, "counting a sealed day anew", "SELECT ledger_begin_seal('2026-01-20')"),
    (7, "a seal of an open day", SEAL.format(day="(now() AT TIME ZONE 'UTC')::date")),
    (7, "a seal out of turn", "UPDATE ledger_boundary SET opens = '2026-01-25'; " + SEAL.format(day="'2026-01-23'")),
    (7, "another seal", SEAL.format(day="'2026-01-20'")),
    (7, "changing a seal", "UPDATE ledger_seal SET seal = ''"),
    (7, "deleting a seal", "DELETE FROM ledger_seal"),
    (7, "truncating the seals", "TRUNCATE ledger_seal"),
    (7, "another sealed row", "INSERT INTO ledger_sealedrows (day, part, number, leaves)"
     " VALUES ('2026-01-20', 'entries', 1, '')"),
    (7, "changing the list of sealed rows", "UPDATE ledger_sealedrows SET leaves = ''"),
    (7, "deleting the list of sealed rows", "DELETE FROM ledger_sealedrows"),
]  # fmt: skip


@pytest.fixture
def target(books):
    """Alice and Bob have 1,000 each, and 400 of Alice's are held. The day of all that is closed and sealed."""
    posted = books.fund(books.alice, 1_000)
    books.fund(books.bob, 1_000)
    holds.place(Place(books.alice.id, 400, "hold"), now=NOW)
    closing.close(NOW.date(), by="test", grace=timedelta(), now=NOW + closing.DAY)
    sealing.seal_closed(by="test", clock=lambda: NOW + closing.DAY)
    till = "SELECT id FROM ledger_account WHERE code = 'liabilities:wallets:dora'"
    with connection.cursor() as cursor:
        cursor.execute(till)
        (dora,) = cursor.fetchone()
        cursor.execute("SELECT id FROM ledger_transaction WHERE reference = 'fund:liabilities:wallets:alice'")
        (transaction_id,) = cursor.fetchone()
        cursor.execute("SELECT min(lane) FROM ledger_balance WHERE account_id = %s AND version = 0", [books.cash.id])
        (unused,) = cursor.fetchone()
    assert posted
    return {
        "alice": books.alice.id, "bob": books.bob.id, "till": dora, "posted": transaction_id,
        "cash": books.cash.id, "unused": unused,
    }  # fmt: skip


@pytest.mark.parametrize(("law", "attack", "statement"), ATTACKS, ids=[f"{law}: {what}" for law, what, _ in ATTACKS])
def test_the_database_refuses(books, target, law, attack, statement):
    with connection.cursor() as cursor:
        for name, value in target.items():
            statement = statement.replace("{" + name + "}", str(value))
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute(statement)
    assert books.standing(books.alice).balance == 1_000
    assert books.available(books.alice) == 600
    assert verify.clean()


def test_the_attacks_are_made_in_the_applications_role(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] == settings.DATABASE_APP_ROLE


def test_a_forged_hold_cant_be_placed_closed(books, target):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_hold (id, account_id, kind, reference, amount, captured, status, placed_at, closed_at)"
            f" VALUES ({NEW}, %s, 'held', 'h', 1, 0, 'released', now(), now())",
            [target["alice"]],
        )


def test_what_the_last_attacks_forge_is_lawful_but_for_its_dates(books, target):
    statement = lawful(posted="now()", effective="'2026-01-21'")
    with connection.cursor() as cursor:
        for name, value in target.items():
            statement = statement.replace("{" + name + "}", str(value))
        cursor.execute(statement)
    assert books.standing(books.alice).balance == 1_005
    assert verify.clean()
