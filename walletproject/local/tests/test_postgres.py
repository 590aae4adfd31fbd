import os
import subprocess
import time

import psycopg
import pytest

from walletproject.local.pidfile import forget_stale_pid


@pytest.fixture
def application():
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def pid_file(tmp_path):
    return tmp_path / "postmaster.pid"


@pytest.mark.parametrize(
    "deed", ["CREATE TABLE mine ()", "CREATE DATABASE mine", "CREATE ROLE mine", "CREATE SCHEMA mine"]
)
def test_the_application_makes_nothing_of_its_own(application, deed):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute(deed)


def test_the_application_is_no_superuser_and_no_member_of_the_owner(application):
    row = application.execute(
        "SELECT rolsuper, pg_has_role('wallet_owner', 'MEMBER') FROM pg_roles WHERE rolname = current_user"
    )
    assert row.fetchone() == (False, False)


def test_nobody_enters_without_a_password(application):
    settings = dict(application.info.get_parameters(), password="wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**settings)


def test_a_record_of_a_stranger_with_the_number_is_dropped(pid_file):
    pid_file.write_text(f"{os.getpid()}\n")
    forget_stale_pid(pid_file)
    assert not pid_file.exists()


def test_a_record_of_a_zombie_is_dropped(pid_file):
    zombie = subprocess.Popen(["true"])
    time.sleep(0.2)
    pid_file.write_text(f"{zombie.pid}\n")
    forget_stale_pid(pid_file)
    zombie.wait()
    assert not pid_file.exists()


def test_a_record_of_a_process_that_is_gone_is_left_to_postgresql(pid_file):
    gone = subprocess.Popen(["true"])
    gone.wait()
    pid_file.write_text(f"{gone.pid}\n")
    forget_stale_pid(pid_file)
    assert pid_file.exists()


def test_a_server_that_still_shuts_down_is_waited_for(pid_file, tmp_path):
    (tmp_path / "postgres").symlink_to("/bin/sleep")
    with subprocess.Popen([tmp_path / "postgres", "0.5"]) as server:
        pid_file.write_text(f"{server.pid}\n")
        started = time.monotonic()
        forget_stale_pid(pid_file)
        assert time.monotonic() - started >= 0.3
