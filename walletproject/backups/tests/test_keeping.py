"""Which backups there are, which one serves, and which go."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walletproject.backups import keeping, programs
from walletproject.backups.failures import BackupError
from walletproject.backups.keeping import NAME, chosen, held, kept, remove, too_many
from walletproject.backups.source import Source

NIGHT = datetime(2026, 11, 20, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    """Three nights' backups, and what else may lie there."""
    for day in range(3):
        (tmp_path / f"{NIGHT + timedelta(days=day):{NAME}}").mkdir()
    for other in (keeping.DRAFT, keeping.WAL, "lost+found"):
        (tmp_path / other).mkdir()
    return tmp_path


def names(paths):
    return [path.name[:8] for path in paths]


def test_what_is_no_backup_isnt_taken_for_one(folder):
    assert names(backup.path for backup in kept(folder)) == ["20261120", "20261121", "20261122"]
    assert kept(folder / "nowhere") == []


@pytest.mark.parametrize(
    ("to", "name"),
    [(None, "20261122"), (NIGHT + timedelta(hours=47), "20261121"), (NIGHT, "20261120")],
)
def test_the_newest_from_before_the_moment_serves(folder, to, name):
    assert chosen(folder, to).name.startswith(name)


def test_before_the_first_there_is_none(folder):
    with pytest.raises(BackupError, match="no backup from before 2026-11-20 01:59:59 UTC"):
        chosen(folder, NIGHT - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("keep", "more", "leaving"), [(3, 0, 0), (2, 0, 1), (1, 0, 2), (3, 1, 1), (1, 1, 3), (9, 1, 0)]
)
def test_the_oldest_make_room(folder, keep, more, leaving):
    assert names(too_many(folder, keep, more=more)) == ["20261120", "20261121", "20261122"][:leaving]


@given(keep=st.integers(-3, 9))
def test_the_newest_never_goes(tmp_path_factory, keep):
    folder = tmp_path_factory.mktemp("backups")
    for day in range(4):
        (folder / f"{NIGHT + timedelta(days=day):{NAME}}").mkdir()
    assert kept(folder)[-1].path not in too_many(folder, keep)


def test_what_is_removed_is_gone_with_what_was_left_of_another(folder):
    (folder / keeping.DRAFT / "base.tar.gz").touch()
    remove(chosen(folder, None))
    assert len(kept(folder)) == 2
    assert not (folder / keeping.DRAFT).exists()


def test_of_two_into_one_folder_the_second_is_refused(folder):
    with held(folder), pytest.raises(BackupError, match="under way"), held(folder):
        pass


@pytest.mark.parametrize("given", ["", "/usr"])
def test_programs_of_another_version_wont_do(given):
    with pytest.raises(BackupError, match=r"Install postgresql-9, or set PG_BIN"):
        programs.find("pg_basebackup", 9, given=given)


def test_programs_are_found_without_being_told_where():
    assert programs.find("pg_receivewal", 18, given="").path("postgres").endswith("/postgres")


def test_a_password_is_on_no_command_line():
    source = Source("postgresql://saver:s%2Fcret@db.example.com:5433/wallet?sslmode=require")
    assert source.arguments() == [
        "--no-password", "--dbname=user=saver dbname=wallet host=db.example.com port=5433 sslmode=require"
    ]  # fmt: skip
    assert source.environment()["PGPASSWORD"] == "s/cret"
