"""A proof leaves a record; at night it is made once, by whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from ledger.models import Verification
from ledger.seals.sealing import head
from ledger.tests.conftest import NOW
from ledger.verifications import last_verification, prove, prove_if_due


def clock():
    return NOW


def run(*options):
    """The command's exit code and what it prints."""
    out = StringIO()
    try:
        call_command("verify_ledger", *options, stdout=out)
        return 0, out.getvalue()
    except SystemExit as stopped:
        return stopped.code, out.getvalue()


def test_a_proof_is_recorded(books):
    assert last_verification() is None
    books.fund(books.alice, 100)
    made = prove(clock=clock)
    assert last_verification() == made
    assert (made.started_at, made.broken, made.report, made.head) == (NOW, 0, [], "")
    assert made.rows["entries"] == 2


def test_what_was_found_is_recorded(sealed):
    with connections["owner"].cursor() as cursor, transaction.atomic(using="owner"):
        cursor.execute("ALTER TABLE ledger_transaction DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_transaction SET kind = 'x' WHERE reference = 't:0'")
        cursor.execute("ALTER TABLE ledger_transaction ENABLE TRIGGER USER")
    code, out = run("--quiet")
    last = last_verification()
    assert (code, last.broken, len(last.report)) == (1, 1, 1)
    assert last.report[0].startswith("law 7: 2026-01-20: transaction ") and last.report[0][14:] in out
    assert last.head == str(head())


def test_a_record_stays(books):
    prove(clock=clock)
    for attack in ("UPDATE ledger_verification SET broken = 0", "DELETE FROM ledger_verification"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)
    assert Verification.objects.count() == 1


def test_what_isnt_to_be_recorded_isnt(books):
    assert run("--unrecorded")[0] == 0
    assert last_verification() is None


def test_the_head_that_was_kept_is_asked_for(sealed):
    kept = str(head())
    code, out = run("--head", kept)
    assert code == 0 and f"Head of the seals: {kept}" in out
    code, out = run("--quiet", "--head", kept.replace("2026-01-21", "2026-01-20"))
    assert code == 1 and "the chain has been written anew" in out
    with pytest.raises(CommandError, match="is no head"):
        call_command("verify_ledger", "--head", "yesterday")


def test_at_night_the_books_are_proven_once(books):
    evening = NOW - timedelta(hours=1)
    assert prove_if_due(since=evening, clock=clock)
    assert prove_if_due(since=evening, clock=clock) is None
    tomorrow = NOW + timedelta(days=1)
    assert prove_if_due(since=tomorrow, clock=lambda: tomorrow)


def test_of_two_workers_one_proves_the_books(committed_books):
    def work(_):
        try:
            return prove_if_due(since=NOW, clock=clock)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len([made for made in pool.map(work, range(4)) if made]) == 1
    assert Verification.objects.count() == 1
