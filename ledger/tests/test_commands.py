"""Commands of the books, as a cron and a person run them."""

import csv
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.db import connections, transaction
from django.utils import timezone

from ledger import commands, holds
from ledger.models import Hold
from ledger.requests import Place
from ledger.tests.conftest import NOW

OURS = ("ledger", "wallets")
LIKE_THESE = sorted(
    (name, app) for name, app in get_commands().items()
    if app in OURS and isinstance(load_command_class(app, name), commands.Command)
)  # fmt: skip


def run(*words):
    """The command's exit code and what it prints."""
    out = StringIO()
    try:
        call_command(*words, stdout=out, stderr=out)
        return 0, out.getvalue()
    except SystemExit as stopped:
        return stopped.code, out.getvalue()


@pytest.mark.parametrize(("name", "app"), LIKE_THESE)
def test_help_has_examples_each_on_its_line(name, app):
    shown = load_command_class(app, name).create_parser("manage.py", name).format_help()
    examples = shown.partition("examples:")[2].strip().splitlines()
    assert len(examples) > 1
    assert all(line.strip().startswith(f"manage.py {name}") for line in examples)


@pytest.fixture
def funded(books):
    """Alice has 1,000, on the books since yesterday."""
    books.fund(books.alice, 1_000)
    return books


def test_the_trial_balance_is_printed_for_a_person(funded):
    code, out = run("trial_balance")
    alice, *_, totals = [line for line in out.splitlines() if "1,000" in line and "clearing" not in line]
    assert code == 0 and "liabilities:wallets:alice" in alice
    assert (totals.count("NGN"), totals.count("1,000")) == (1, 2)


def test_the_trial_balance_is_printed_for_a_spreadsheet(funded):
    rows = list(csv.DictReader(StringIO(run("trial_balance", "--format", "csv", "--currency", "NGN")[1])))
    assert [(row["code"], row["debit"], row["credit"]) for row in rows] == [
        ("assets:clearing:bank:NGN", "1000", "0"),
        ("liabilities:wallets:alice", "0", "1000"),
        ("liabilities:wallets:bob", "0", "0"),
        ("income:fees:NGN", "0", "0"),
    ]


@pytest.mark.parametrize(("day", "credit"), [("2026-01-19", 0), ("2026-01-20", 1_000)])
def test_the_trial_balance_is_printed_for_a_program(funded, day, credit):
    lines = json.loads(run("trial_balance", "--format", "json", "--through", day, "--fold", "liabilities:wallets")[1])
    (wallets,) = [line for line in lines if line["code"] == "liabilities:wallets" and line["currency"] == "NGN"]
    assert (wallets["credit"], wallets["accounts"]) == (credit, 2)


def test_a_trial_balance_that_is_off_is_told_to_a_cron(committed_books):
    with transaction.atomic():
        committed_books.fund(committed_books.alice, 1_000)
    assert run("trial_balance", "--quiet") == (0, "")
    with connections["owner"].cursor() as cursor, transaction.atomic(using="owner"):
        cursor.execute("ALTER TABLE ledger_balance DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_balance SET balance = balance - 1 WHERE floor = 0 AND version > 0")
        cursor.execute("ALTER TABLE ledger_balance ENABLE TRIGGER USER")
    code, out = run("trial_balance", "--quiet")
    assert code == 1 and "Debits and credits differ in NGN" in out


def test_a_day_that_is_none_is_refused():
    with pytest.raises(CommandError, match="is no day"):
        run("trial_balance", "--through", "October")


@pytest.fixture
def lapsed(funded):
    """Two of Alice's holds have expired, and one hasn't."""
    for number, hours in enumerate((1, 2, 24 * 365 * 50)):
        holds.place(Place(funded.alice.id, 10, f"h:{number}", expires_at=NOW + timedelta(hours=hours)), now=NOW)
    assert timezone.now() > NOW + timedelta(days=1)
    return funded


def test_holds_whose_time_has_come_are_closed(lapsed):
    assert "2 holds have expired and would be closed" in run("release_due", "--dry-run")[1]
    assert Hold.objects.filter(status="open").count() == 3
    assert "2 holds have expired and are closed" in run("release_due")[1]
    assert Hold.objects.filter(status="open").count() == 1
    assert run("release_due", "--quiet") == (0, "")
