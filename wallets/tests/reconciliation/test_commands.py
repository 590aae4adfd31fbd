"""The two commands: what they tell, and the exit codes that a cron goes by."""

import io

import pytest
from django.core.management import CommandError, call_command

from wallets.models import Reconciliation, Statement, StatementLine
from wallets.tests.reconciliation.conftest import Row, as_csv


def run(*words):
    """The exit code and what was printed."""
    out = io.StringIO()
    try:
        call_command(*words, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "march.csv"
    path.write_bytes(as_csv([Row(1, -400, "ref-0001"), Row(2, 900, "ref-0002")]))
    return path


def load(file, *more):
    return run("import_statement", str(file), "--account", "paystack:NGN", "--mapping", "full", *more)


def test_a_file_is_imported_once(desk, file):
    code, told = load(file)
    assert (code, Statement.objects.count(), StatementLine.objects.count()) == (0, 1, 2)
    assert "2 are new" in told
    code, told = load(file)
    assert (code, "imported before" in told, StatementLine.objects.count()) == (0, True, 2)


def test_a_dry_run_tells_the_same_and_keeps_nothing(desk, file):
    code, told = load(file, "--dry-run", "--opening", "10", "--closing", "15")
    assert (code, Statement.objects.count(), StatementLine.objects.count()) == (0, 0, 0)
    assert "2 would be new" in told and "opens with 10.00 and closes with 15.00" in told


def test_a_file_that_isnt_right_is_refused_by_line_and_column(desk, file):
    file.write_text(file.read_text().replace("9.00", "=9"))
    code, told = load(file)
    assert (code, Statement.objects.count()) == (1, 0)
    assert "march.csv, line 3, amount: It is a formula" in told and "Nothing of it was kept." in told


@pytest.mark.parametrize(
    "words",
    [
        ("--account", "paystack:EUR"), ("--account", "paystack"), ("--account", "paystack:NGN", "--closing", "much"),
    ],
)  # fmt: skip
def test_an_account_or_balance_that_there_isnt_is_the_callers_mistake(desk, file, words):
    code, told = run("import_statement", str(file), *words)
    assert (code, Statement.objects.count()) == (2, 0)
    assert told


def test_a_file_that_isnt_there_or_tells_no_format_likewise(desk, tmp_path):
    assert run("import_statement", str(tmp_path / "no.csv"), "--account", "paystack:NGN")[0] == 2
    assert run("import_statement", str(tmp_path / "no.pdf"), "--account", "paystack:NGN")[0] == 2


def test_a_mapping_that_there_isnt_names_those_that_there_are(desk, file):
    code, told = run("import_statement", str(file), "--account", "paystack:NGN", "--mapping", "mine")
    assert code == 1 and "full, standard" in told


def test_a_clean_account_ends_with_0(desk, file):
    desk.book((1, -400, "ref-0001"), (2, 900, "ref-0002"))
    load(file, "--opening", "0", "--closing", "5")
    code, told = run("reconcile_provider", "paystack")
    assert (code, Reconciliation.objects.count()) == (0, 1)
    assert "Everything is explained." in told and "Reference and amount" in told
    assert run("reconcile_provider", "--quiet") == (0, "")


def test_breaks_end_with_1_and_are_told_with_their_sums(desk, file):
    desk.book((1, -400, "ref-0001"))
    load(file, "--opening", "0", "--closing", "5")
    code, told = run("reconcile_provider", "paystack", "--currency", "NGN")
    assert code == 1
    assert "missing here" in told and "9.00" in told and "There is something to look at." in told


def test_an_unexplained_difference_ends_with_1(desk, file):
    desk.book((1, -400, "ref-0001"), (2, 900, "ref-0002"))
    load(file, "--opening", "1", "--closing", "6")
    code, _ = run("reconcile_provider")
    assert (code, Reconciliation.objects.get().unexplained) == (1, -100)


def test_a_dry_run_keeps_nothing(desk, file):
    load(file)
    code, told = run("reconcile_provider", "--dry-run")
    assert (code, Reconciliation.objects.count(), desk.open()) == (1, 0, [])
    assert "missing here" in told


def test_nothing_to_reconcile_is_the_callers_mistake(desk):
    assert run("reconcile_provider", "nobody")[0] == 2


def test_help_has_examples(capsys):
    for command in ("import_statement", "reconcile_provider"):
        with pytest.raises(SystemExit):
            call_command(command, "--help")
        assert "  manage.py " in capsys.readouterr().out
