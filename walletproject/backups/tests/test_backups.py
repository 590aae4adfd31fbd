"""What was saved is restored: exactly what was there at a moment, or nothing."""

import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from math import inf

import psycopg
import pytest
from django.core.management import CommandError, call_command

from ledger import sql
from ledger.durable import durable
from walletproject.backups import archive, keeping, taking
from walletproject.backups.failures import BackupError
from walletproject.backups.manifest import FILES
from walletproject.backups.restoring import Wish, rehearse, restore
from walletproject.backups.source import Source
from walletproject.backups.taking import take
from walletproject.local.postgres import APPLICATION, SUPERUSER
from wallets import backups as record
from wallets import wal
from wallets.models import Backup


def clock():
    return datetime.now(UTC)


def database_clock():
    return sql.rows("SELECT clock_timestamp()")[0][0]


def fund(books, *references):
    for reference in references:
        durable(books.fund)(books.alice, 100, reference, database_clock())


def save(source, folder, *, now=clock, keep=7):
    return take(source, folder, keep=keep, programs="", clock=now, told=lambda what: None)


@pytest.fixture(scope="module")
def history(server, source, books, tmp_path_factory):
    """A folder with a backup of one deposit, and the WAL of three more; and the moment before the last."""
    folder = tmp_path_factory.mktemp("backups")
    programs = archive.prepare(source, folder, programs="")
    follower = subprocess.Popen(archive.command(source, folder, programs), env=source.environment())
    fund(books, "saved")
    save(source, folder)
    wait_out_the_second(database_clock())
    fund(books, "archived", "archived too")
    moment = database_clock()
    fund(books, "too late")
    wait_until_archived(server)
    follower.terminate()
    assert follower.wait() == 0
    return folder, moment


def wait_out_the_second(begun):
    while database_clock() < begun.replace(microsecond=0) + timedelta(seconds=1):
        time.sleep(0.02)


def wait_until_archived(server):
    asked = "SELECT count(*) FROM pg_stat_replication WHERE write_lsn >= %s::pg_lsn"
    deadline = time.monotonic() + 20
    with psycopg.connect(server.url(SUPERUSER), autocommit=True) as connection:
        position = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
        while not connection.execute(asked, position).fetchone()[0]:
            assert time.monotonic() < deadline, "the WAL isn't archived within 20 s"
            time.sleep(0.02)


def command(name, *arguments):
    out = StringIO()
    call_command(name, *map(str, arguments), stdout=out)
    return out.getvalue()


def test_exactly_what_was_there_at_the_moment_comes_back(history, tmp_path):
    folder, moment = history
    target = tmp_path / "new"
    made = restore(Wish(backup=folder, to=moment), target, clock=clock)
    assert (made.proof.broken, made.proof.rows["transactions"], made.proof.rows["entries"]) == (0, 3, 6)
    assert made.changed_at <= moment
    assert not (target / "postmaster.pid").exists() and not (target / "recovery.signal").exists()
    assert (target / "postgresql.auto.conf").read_text().endswith("archive_mode = 'off'\n")


def test_a_rehearsal_restores_all_there_is_and_leaves_a_record(history):
    folder, _ = history
    assert "The books are clean" in (printed := command("restore", folder, "--rehearse"))
    assert "4 transactions" in printed and "To start with it" not in printed
    assert record.last_backup().rehearsed_at == record.last_rehearsal() > clock() - timedelta(minutes=1)


def test_a_damaged_backup_is_refused_and_nothing_is_left(history, tmp_path):
    damaged = shutil.copytree(keeping.chosen(history[0], None), tmp_path / "damaged")
    content = bytearray((damaged / FILES).read_bytes())
    content[len(content) // 2] ^= 1
    (damaged / FILES).write_bytes(content)
    with pytest.raises(CommandError, match="is damaged"):
        command("restore", damaged, tmp_path / "new", "--quiet")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_folder_with_something_in_it_is_left_as_it_is(history, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(CommandError, match="isn't empty, and nothing is ever overwritten"):
        command("restore", history[0], tmp_path, "--quiet")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("arguments", [(), ("/srv/new", "--rehearse")])
def test_to_restore_or_to_rehearse_is_asked_for(history, arguments):
    with pytest.raises(CommandError, match="Name the folder to restore into, or --rehearse"):
        command("restore", history[0], *arguments)


def test_only_the_newest_are_kept_and_the_wal_that_they_need(source, history, tmp_path):
    (tmp_path / keeping.WAL).mkdir()
    (tmp_path / keeping.WAL / "000000010000000000000001").touch()
    (tmp_path / keeping.DRAFT).mkdir()
    older, newer = (save(source, tmp_path, now=lambda later=later: later, keep=1) for later in (NOON, NOON + HOUR))
    older.refresh_from_db()
    assert (older.state, newer.state, newer.rehearsed_at) == ("removed", "verified", None)
    assert record.last_backup() == newer
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["20991124T130000Z", "lock", keeping.WAL]
    assert list((tmp_path / keeping.WAL).iterdir()) == []


NOON, HOUR = datetime(2099, 11, 24, 12, tzinfo=UTC), timedelta(hours=1)


def test_what_failed_is_recorded_and_the_others_stay(source, history, monkeypatch):
    folder, _ = history
    monkeypatch.setattr(taking, "OPTIONS", ("--format=tar", "--compress=nothing-known"))
    with pytest.raises(BackupError, match="pg_basebackup failed"):
        save(source, folder, keep=1)
    failed = Backup.objects.latest("id")
    assert failed.state == "failed" and "nothing-known" in failed.trouble
    assert len(keeping.kept(folder)) == 1 and not (folder / keeping.DRAFT).exists()


def test_a_role_that_may_not_copy_the_server_is_told_what_to_do(server, history, tmp_path):
    before = Backup.objects.count()
    with pytest.raises(BackupError, match="ALTER ROLE wallet_app REPLICATION"):
        save(Source(server.url(APPLICATION)), tmp_path)
    assert Backup.objects.count() == before and list(tmp_path.iterdir()) == []


def test_a_dry_run_saves_nothing(source, history, settings, tmp_path):
    settings.DATABASE_BACKUP_URL = source.url
    before = Backup.objects.count()
    assert "would be saved" in command("backup", tmp_path, "--dry-run")
    assert Backup.objects.count() == before and list(tmp_path.iterdir()) == []


def test_the_server_knows_how_far_its_archive_is(history):
    found = wal.archiver()
    assert not found.follows and 0 < found.behind < inf


@pytest.mark.slow
def test_a_gap_in_the_archive_is_told(history, tmp_path):
    folder, _ = history
    archived = shutil.copytree(folder / keeping.WAL, tmp_path / "wal")
    (archived / "000000010000000000000077").touch()
    made = rehearse(Wish(backup=folder, wal=archived), clock=clock)
    assert (made.unreached, made.proof.broken, made.good) == ("000000010000000000000077", 0, False)


@pytest.mark.slow
def test_books_that_dont_lead_to_the_head_that_was_kept_are_told(history):
    with pytest.raises(SystemExit) as stopped:
        command("restore", history[0], "--rehearse", "--quiet", "--head", f"2026-11-23:{'5f' * 32}")
    assert stopped.value.code == 1


@pytest.mark.slow
def test_a_moment_that_the_wal_doesnt_reach_is_refused(history, tmp_path):
    with pytest.raises(BackupError, match="The WAL that is there doesn't reach beyond that moment"):
        restore(Wish(backup=history[0], to=clock()), tmp_path / "new", clock=clock)
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("which", ["", "folder"])
def test_a_moment_from_before_the_backup_is_refused(history, tmp_path, which):
    folder, moment = history
    backup = folder if which else keeping.chosen(folder, None)
    with pytest.raises(BackupError, match="from before"):
        restore(Wish(backup=backup, to=moment - timedelta(minutes=1)), tmp_path / "new", clock=clock)
    assert not (tmp_path / "new").exists()
