"""What is kept near changes what an answer costs, and never the answer: stale, emptied, or away."""

from dataclasses import replace

import pytest
from django.utils import timezone
from redis import Redis

from users.tests.round_trips import round_trips
from wallets.balances import Ask
from wallets.tests.usage.conftest import EVERYBODY
from wallets.usage import cache, estimates
from wallets.usage.cache import Kept
from wallets.usage.redis_line import Line


@pytest.fixture(autouse=True)
def redis_is_there_again(monkeypatch):
    monkeypatch.setattr(cache, "_away_until", 0.0)
    monkeypatch.setattr(cache, "_keeps_again_at", 0.0)


@pytest.fixture
def used(metering, purse):
    """A wallet whose usage goes on, and somebody who looks at it."""
    metering.take(*[metering.event(purse, 4, ago=second) for second in range(600, 60, -30)])
    known(purse)
    return purse


def known(wallet, **more):
    (found,) = estimates.read([Ask(EVERYBODY, wallet.pk)], now=timezone.now(), **more)
    return found


def kept(wallet):
    return cache.from_redis([wallet.pk])[wallet.pk]


def test_what_is_written_is_renewed_for_whoever_looks(metering, used, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        metering.use(used, 8)
    cache.memory.clear()
    found = known(used)
    assert (found.source, found.kept.profile.version) == ("redis", found.balance.usage.version)


def test_an_older_version_cant_take_the_place_of_a_newer(used):
    newest = kept(used).profile
    cache.keep({used.pk: Kept(replace(newest, version=newest.version - 1))})
    assert kept(used).profile == newest
    cache.keep({used.pk: Kept(replace(newest, version=newest.version + 1))})
    assert kept(used).profile.version == newest.version + 1


def test_what_is_kept_of_another_version_isnt_used(metering, used):
    metering.use(used, 8)
    found = known(used)
    assert (found.source, found.kept.profile.version) == ("database", found.balance.usage.version)


def test_what_cant_be_read_is_passed_over(used):
    cache.memory.clear()
    cache.get_redis_connection("default").hset(f"usage:{used.pk.hex}", "profile", b"{}")
    assert known(used).source == "database"


def test_without_redis_it_is_the_same_and_says_so(used, alice, monkeypatch):
    path = f"wallets/{used.pk}/balance/estimated"
    before = alice.http.get(path).body
    cache.memory.clear()
    nowhere = Redis(port=1, socket_connect_timeout=0.1)
    monkeypatch.setattr(cache, "line", Line(lambda: nowhere.connection_pool))
    after = alice.http.get(path).body
    assert (before["degraded"], after["degraded"], after["source"]) == (False, True, "database")
    for body in (before, after):
        del body["degraded"], body["source"]
    assert before == after


def test_where_redis_keeps_nothing_it_is_still_asked_and_given_nothing_for_a_moment(metering, used, monkeypatch):
    metering.use(used, 8)
    with monkeypatch.context() as full:
        full.setattr(cache, "REPLACE", "return redis.error_reply('OOM')")
        assert known(used).source == "database"
        assert kept(used).profile.version < known(used).balance.usage.version
    assert not cache.is_away()
    cache.memory.clear()
    assert [known(used).source for _ in range(2)] == ["database", "memory"]
    assert kept(used).profile.version < known(used).balance.usage.version


def test_what_isnt_kept_is_asked_for_together(committed, used):
    for _ in range(8):
        known(used, cached=False)
    with round_trips() as counted:
        known(used, cached=False)
    # The balance, whose version tells what still holds; then the months and the minutes.
    assert counted == [2]
