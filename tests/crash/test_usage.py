"""Servers end in the middle of it and workers are killed: `current` is the oracle's all the same, to the last digit."""

import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import time_machine
from django.db import OperationalError, connections
from django.utils import timezone
from django_redis import get_redis_connection

from tests.crash.servers import Servers, own_servers
from walletproject.local.postgres import APPLICATION, SUPERUSER
from walletproject.local.processes import bound_to_parent
from wallets.balances import Ask
from wallets.tests.conftest import SCOPES, Shop, books_are_clean, join, service
from wallets.tests.usage.conftest import EVERYBODY, START, Metering
from wallets.tests.usage.test_oracle import METERS, World, run, until_it_is_taken
from wallets.tests.usage.traces import SHAPES, trace
from wallets.usage import cache, estimates
from wallets.usage.events import Event
from wallets.usage.redis_line import Line

pytestmark = pytest.mark.crash

WRITERS, MINUTES = 4, 240
WRITTEN = """
SELECT (SELECT count(*) FROM wallets_usageevent),
       EXISTS (SELECT FROM pg_stat_activity WHERE usename = %s AND backend_xid IS NOT NULL)
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory, django_db_setup, rows_from_migrations, django_db_blocker) -> Iterator[Servers]:
    with django_db_blocker.unblock(), own_servers(tmp_path_factory.mktemp("own")) as servers:
        yield servers


@pytest.fixture
def servers(own, committed, settings, monkeypatch) -> Servers:
    """They are there, and empty."""
    settings.RATELIMIT_ENABLE = settings.CELERY_ENABLED = False
    settings.CACHES = own.caches(settings.CACHES)
    monkeypatch.setattr(cache, "_away_until", 0.0)
    monkeypatch.setattr(cache, "line", Line(lambda: get_redis_connection("default").connection_pool))
    for server in (own.postgres, own.valkey):
        if not server.child.alive:
            server.start()
    own.empty_valkey()
    return own


@pytest.fixture
def clock(servers) -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop(clock) -> Shop:
    return service("shop", SCOPES)


@pytest.fixture
def world(shop) -> World:
    """Two wallets with 1,000 each, and a meter of each kind."""
    wallets = [join(f"{name}@example.com", name).open() for name in ("alice", "bob")]
    for wallet in wallets:
        shop.fund(wallet, 1_000)
    metering = Metering()
    metering.meter("calls", METERS["calls"][1])
    return World(metering, wallets, random.Random(1))


@pytest.mark.parametrize("shape", SHAPES)
def test_redis_may_be_emptied_or_away_in_the_middle_of_a_trace(world, servers, shop, clock, shape, monkeypatch):
    away, there, emptied = range(10, 20), 20, range(25, 40, 5)

    def disturb(minute: int) -> None:
        if minute == away.start:
            servers.kill_valkey()
        elif minute == there:
            servers.valkey.start()
            monkeypatch.setattr(cache, "_away_until", 0.0)
        elif minute in emptied:
            servers.empty_valkey()
        if minute:
            what_is_kept_changes_no_answer(world, degraded=minute in away)

    run(world, shop, clock, shape, 1, minutes=40, disturb=disturb)


def what_is_kept_changes_no_answer(world: World, *, degraded: bool = False) -> None:
    """Estimates from memory and Redis, as far as they are there, are those that the database gives."""
    cache.memory.clear()
    asks = [Ask(EVERYBODY, wallet.pk) for wallet in world.wallets]
    near, far = (estimates.read(asks, now=timezone.now(), cached=cached) for cached in (True, False))
    assert [known.estimate() for known in near] == [known.estimate() for known in far]
    for known in near:
        assert known.estimate().estimated <= known.balance.current == world.oracle.current(known.balance.wallet)
    has_usage = any(known.balance.usage for known in near)
    assert {known.degraded for known in near} == {degraded and has_usage}


ASKED = {
    "however old": ("estimated?max_age=86400", {}), "of now": ("estimated?max_age=0", {}),
    "as it is kept": ("estimated", {}), "past what is kept": ("estimated", {"Cache_Control": "no-cache"}),
    "exact": ("current", {}),
}  # fmt: skip


def test_without_the_database_no_balance_is_told_whatever_redis_has(world, servers):
    """Rather 503 than an old number: nobody can tell what was used since."""
    wallet, reader = world.wallets[0], service("reader", ("wallets:read",)).http
    path, asks = f"wallets/{wallet.pk}/balance", [Ask(EVERYBODY, wallet.pk)]
    world.metering.take(*[world.metering.event(wallet, 4, ago=second) for second in range(600, 0, -30)])
    before = reader.get(f"{path}/estimated").body
    servers.stop_postgres()
    answers = {how: reader.get(f"{path}/{what}", **said) for how, (what, said) in ASKED.items()}
    answers["many"] = reader.post("wallets/balances/estimated", {"wallets": [str(wallet.pk)]}, key=None)
    with pytest.raises(OperationalError):
        estimates.read(asks, now=timezone.now())
    kept = cache.from_redis([wallet.pk])[wallet.pk]
    servers.postgres.start()
    connections.close_all()
    assert (kept.profile is not None, kept.forecast is not None) == (True, True)
    for how, answer in answers.items():
        told = (answer.status, answer.code, answer.headers["Content-Type"], answer.headers["Retry-After"])
        assert told == (503, "database_unavailable", "application/problem+json", "2"), how
        assert not any(name.startswith("X-Balance") for name in answer.headers), how
    assert reader.get(f"{path}/estimated").body["current"] == before["current"]


def test_workers_are_killed_and_postgresql_restarted_in_the_middle_of_a_trace(world, servers, clock):
    storm(world, servers, clock, "steady", 1, rounds=1)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_workers_are_killed_and_postgresql_restarted_for_long(world, servers, clock, shape):
    storm(world, servers, clock, shape, 2, rounds=12)


def storm(world: World, servers: Servers, clock, shape: str, seed: int, *, rounds: int) -> None:
    """Each round some minutes of a trace are sent by several processes while servers and processes end; after it the
    wallets are what the oracle says.
    """
    world.open(given=1_000)
    minutes = trace(shape, seed, rounds * MINUTES)
    for begun in range(0, len(minutes), MINUTES):
        clock.shift(MINUTES * 60)
        # Which of two that conflict comes first is chance, so that there are none; nor so many duplicates that what one
        # process loses others bring.
        batches = [
            world.spoiled(world.events(each + 1), conflicts=False, doubled=0.02)
            for each in minutes[begun : begun + MINUTES]
        ]
        workers = Workers(world, batches)
        disturb(world, servers, workers, batches)
        workers.finish()
        world.agrees()
        what_is_kept_changes_no_answer(world)
        world.metering.settle(world.chance.choice(world.wallets))
    assert books_are_clean()


def disturb(world: World, servers: Servers, workers: "Workers", batches: list[list[Event]]) -> None:
    """One after the other, each when so much more was written, in the middle of somebody's transaction."""
    ends = [
        workers.kill_one, servers.restart_postgres, servers.empty_valkey, workers.kill_one, servers.kill_valkey,
        servers.restart_postgres, servers.valkey.start, workers.kill_one,
    ]  # fmt: skip
    before = len(world.oracle.events)
    for batch in batches:
        world.expected(batch)
    step = (len(world.oracle.events) - before) / (len(ends) + 2)
    for number, end in enumerate(ends, 1):
        workers.wait_for(lambda so_far=before + step * number: written(servers) >= so_far)
        end()


def written(servers: Servers) -> int:
    """How many events there are, while somebody is writing more of them."""
    with psycopg.connect(servers.postgres.url(SUPERUSER), autocommit=True) as connection:
        ((count, busy),) = connection.execute(WRITTEN, [APPLICATION]).fetchall()
        return count if busy else 0


def runs(pid: int) -> bool:
    """Whether a child of ours hasn't ended yet."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None


class Workers:
    """Processes that share batches, of which each has events of others; what fails is taken again, until it isn't."""

    def __init__(self, world: World, batches: list[list[Event]]) -> None:
        self.world, self.batches = world, batches
        self.pids = [self._begin(place) for place in range(WRITERS)]

    def kill_one(self) -> None:
        """One that works, without a word; another one begins at the beginning of its share."""
        place = self.world.chance.choice([place for place, pid in enumerate(self.pids) if runs(pid)])
        os.kill(self.pids[place], signal.SIGKILL)
        # It may have finished in this moment.
        assert self._end(self.pids[place]) in (-signal.SIGKILL, 0)
        self.pids[place] = self._begin(place)

    def wait_for(self, so: Callable[[], bool]) -> None:
        """Return once it is so, while they work."""
        while not so():
            assert any(map(runs, self.pids)), "everything was written before it could be disturbed"
            time.sleep(0.002)

    def finish(self) -> None:
        assert [self._end(pid) for pid in self.pids] == [0] * WRITERS

    def _begin(self, place: int) -> int:
        connections.close_all()
        end_with_us = bound_to_parent(signal.SIGKILL)
        if pid := os.fork():
            return pid
        try:
            end_with_us()
            for batch in self.batches[place::WRITERS]:
                until_it_is_taken(self.world, batch)
                # So that there is something left to write when the last of the servers ends.
                time.sleep(0.01)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    @staticmethod
    def _end(pid: int) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
