import signal
import subprocess
import sys
import threading
import time

import pytest

from walletproject.local.failures import CannotRun
from walletproject.local.keeper import LOOP_COUNT, Keeper
from walletproject.local.processes import MARK, Child, clear_left_behind, left_behind, stop_all
from walletproject.local.supervisor import refuse_taken_port

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# A large memory takes longest to end, and of many threads the first may end long before.
LISTENER = """
import signal, socket, threading, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
memory = bytearray(b"x") * 400_000_000
with socket.create_server(("127.0.0.1", 0)) as server:
    for _ in range(16):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    print(server.getsockname()[1], flush=True)
    time.sleep(60)
"""
FATHER = """
import signal, subprocess, sys, time
from walletproject.local.processes import bound_to_parent
child = subprocess.Popen([sys.executable, "-c", {child!r}], preexec_fn=bound_to_parent(signal.SIGTERM))
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def run(tmp_path):
    started = []

    def start(*command, **options):
        child = Child(name="it", command=command, log=tmp_path / "log", **options)
        child.start()
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_does_not_stop_in_time_is_killed_and_named(run):
    willing, stubborn = run("sleep", "60"), run(sys.executable, "-c", STUBBORN)
    wait_for(lambda: stubborn.last_words() == "up")
    assert stop_all([willing, stubborn], seconds=0.3) == ["it"]
    assert not stubborn.alive
    assert willing.process.returncode == -signal.SIGTERM
    assert stubborn.process.returncode == -signal.SIGKILL


def test_a_hurry_cuts_the_waiting_short(run):
    stubborn = run(sys.executable, "-c", STUBBORN)
    wait_for(lambda: stubborn.last_words() == "up")
    started = time.monotonic()
    stop_all([stubborn], seconds=60, hurry=lambda: True)
    assert time.monotonic() - started < 5


def test_a_child_ends_with_its_parent_however_that_ends():
    father = FATHER.format(child="import time; time.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", father], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    wait_for(lambda: subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True).stdout[:1] in b"Z")


def test_what_an_earlier_run_left_is_found_by_its_mark_and_ended(run):
    run(sys.executable, "-c", STUBBORN, environment={MARK: "/some/data"})
    stranger = run("sleep", "60", environment={MARK: "/other/data"})
    wait_for(lambda: len(left_behind("/some/data")) == 1)
    clear_left_behind("/some/data", seconds=0)
    assert left_behind("/some/data") == set()
    assert stranger.alive


@pytest.mark.parametrize("by_itself", [True, False])
def test_the_port_of_what_an_earlier_run_left_is_free_once_that_is_ended(run, by_itself):
    listener = run(sys.executable, "-c", LISTENER, environment={MARK: "/some/data"})
    wait_for(lambda: listener.last_words().isdigit())
    if by_itself:
        threading.Timer(0.1, listener.process.kill).start()
    clear_left_behind("/some/data", seconds=5 if by_itself else 0)
    refuse_taken_port("127.0.0.1", int(listener.last_words()), seconds=0)


def test_a_port_is_waited_for_where_what_has_it_was_killed_before_anyone_looked(run):
    listener = run(sys.executable, "-c", LISTENER)
    wait_for(lambda: listener.last_words().isdigit())
    port = int(listener.last_words())
    with pytest.raises(CannotRun, match=f"PORT={port + 1} make run"):
        refuse_taken_port("127.0.0.1", port, seconds=0.1)
    listener.process.kill()
    refuse_taken_port("127.0.0.1", port, seconds=10)


def test_what_dies_is_started_again_and_the_group_it_left_is_ended(run):
    told = []
    child = run("sh", "-c", "sleep 61 & wait")
    keeper = Keeper(child, told.append)
    first = child.process
    first.kill()
    first.wait()
    keeper.look(0.0)
    assert child.alive and child.process is not first
    assert told == [f"it stopped (-9) and is started again; its log is {child.log}"]


def test_what_keeps_dying_is_reported_in_words_with_its_last_ones(run):
    told = []
    child = run("sh", "-c", "echo no money today; exit 3")
    keeper = Keeper(child, told.append)
    for now in range(0, 10 * LOOP_COUNT, 10):
        child.process.wait()
        keeper.look(now)
        keeper.look(now + 9.0)
    assert "keeps stopping: 5 times" in told[-1]
    assert "no money today" in told[-1]
