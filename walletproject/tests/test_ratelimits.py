import socket
import threading
import time
import uuid

import pytest
from django.core.cache import caches
from redis.exceptions import ConnectionError as RedisConnectionError

from walletproject.ratelimits import SteadyCache, client_network
from walletproject.tests.problems import assert_problem


def cache_at(place):
    options = {"SOCKET_CONNECT_TIMEOUT": 0.2, "SOCKET_TIMEOUT": 0.2}
    return {"BACKEND": "walletproject.ratelimits.SteadyCache", "LOCATION": place, "OPTIONS": options}


@pytest.fixture
def limits(settings):
    """Limits are on, low, and counted under a prefix of their own."""
    settings.RATELIMIT_ENABLE = True
    settings.RATELIMIT_CACHE_PREFIX = str(uuid.uuid4())
    settings.RATELIMIT_CALLER = settings.RATELIMIT_ADDRESS = "3/h"
    settings.RATELIMIT_SERVICE = "5/h"
    settings.RATELIMIT_LOGIN = "2/h"
    return settings


@pytest.fixture
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def silent_port():
    """A server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield server.getsockname()[1]


@pytest.fixture
def move_redis(settings):
    """Let the limits look for Redis elsewhere."""

    def move(place):
        settings.CACHES = {**settings.CACHES, "ratelimit": cache_at(place)}
        SteadyCache._away_until.clear()
        SteadyCache._known_until.clear()

    yield move
    SteadyCache._away_until.clear()


def statuses(client, path, times, **extra):
    return [client.get(path, **extra).status_code for _ in range(times)]


def test_a_person_may_ask_so_often_and_not_more(limits, api):
    assert statuses(api, "/empty", 5) == [204, 204, 204, 429, 429]


def test_a_service_has_a_rate_of_its_own(limits, stranger):
    assert statuses(stranger, "/empty", 6, headers={"X-Caller": "service"}) == [204] * 5 + [429]


def test_a_stranger_is_limited_by_address(limits, stranger):
    assert statuses(stranger, "/open", 4) == [200, 200, 200, 429]
    assert stranger.get("/open", REMOTE_ADDR="192.0.2.1").status_code == 200


def test_an_address_in_a_customers_ipv6_network_is_one_address(limits, stranger):
    found = [stranger.get("/open", REMOTE_ADDR=f"2001:db8:1:2::{n}").status_code for n in range(1, 5)]
    assert found == [200, 200, 200, 429]
    assert stranger.get("/open", REMOTE_ADDR="2001:db8:1:3::1").status_code == 200


def test_signing_in_is_limited_more_tightly_whoever_asks(limits, stranger):
    found = [stranger.post("/login", headers={"X-Caller": "person"}).status_code for _ in range(3)]
    assert found == [200, 200, 429]


def test_refused_authentications_count_against_their_address(limits, stranger):
    forged = {"headers": {"X-Caller": "forged"}}
    assert statuses(stranger, "/empty", 5, **forged) == [401, 401, 401, 429, 429]
    assert statuses(stranger, "/empty", 1, headers={"X-Caller": "person"}) == [204]


def test_asking_without_any_authentication_counts_too(limits, stranger):
    assert statuses(stranger, "/empty", 4) == [401, 401, 401, 429]


def test_the_refusal_says_when_to_come_back(limits, api):
    statuses(api, "/empty", 3)
    response = api.get("/empty")
    problem = assert_problem(response, 429, "rate_limited")
    wait = int(response["Retry-After"])
    assert 1 <= wait <= 3600
    assert response["RateLimit-Policy"] == '"caller";q=3;w=3600'
    assert response["RateLimit"].startswith('"caller";r=0;t=')
    assert problem["retry_after"] == wait


def test_a_window_ends(limits, api):
    limits.RATELIMIT_CALLER = "2/s"
    found = set()
    deadline = time.monotonic() + 3
    while found != {204, 429} and time.monotonic() < deadline:
        found.add(api.get("/empty").status_code)
    wait = int(api.get("/empty").headers.get("Retry-After", 1))
    time.sleep(wait + 0.1)
    assert api.get("/empty").status_code == 204


def test_switched_off_it_asks_redis_nothing(settings, api, move_redis):
    settings.RATELIMIT_ENABLE = False
    move_redis("not even an address")
    assert statuses(api, "/empty", 3) == [204, 204, 204]


def test_with_redis_down_the_limits_go_on_in_this_process(limits, api, stranger, move_redis, closed_port):
    move_redis(f"redis://127.0.0.1:{closed_port}/0")
    with pytest.raises(RedisConnectionError):
        super(SteadyCache, caches["ratelimit"]).get("the fixture would prove nothing if Redis answered")
    assert statuses(api, "/empty", 5) == [204, 204, 204, 429, 429]
    assert statuses(stranger, "/open", 4) == [200, 200, 200, 429]


def test_a_hanging_redis_is_paid_for_once_and_not_by_every_request(limits, api, move_redis, silent_port):
    limits.RATELIMIT_CALLER = "1000/h"
    move_redis(f"redis://127.0.0.1:{silent_port}/0")
    start = time.perf_counter()
    assert set(statuses(api, "/empty", 50)) == {204}
    assert time.perf_counter() - start < 1.0


def test_after_a_pause_redis_is_tried_again(settings, monkeypatch, move_redis):
    monkeypatch.setattr(SteadyCache, "PAUSE", 0.05)
    move_redis(settings.REDIS_URL)
    cache, counter = caches["ratelimit"], str(uuid.uuid4())
    SteadyCache._away_until[settings.REDIS_URL] = time.monotonic() + 0.05
    assert [cache.incr(counter), cache.incr(counter)] == [1, 2]
    assert super(SteadyCache, cache).get(counter) is None
    time.sleep(0.06)
    assert [cache.incr(counter), cache.incr(counter)] == [1, 2]
    assert super(SteadyCache, cache).get(counter) == 2


def test_a_counter_that_redis_forgot_starts_again_and_ends(settings, move_redis):
    move_redis(settings.REDIS_URL)
    cache, counter = caches["ratelimit"], str(uuid.uuid4())
    cache.add(counter, 1, 60)
    assert cache.incr(counter) == 2
    cache.delete(counter)
    assert cache.incr(counter) == 1
    assert 0 < cache.ttl(counter) <= SteadyCache.RESTARTED


def test_a_known_counter_is_not_started_again(settings, move_redis):
    move_redis(settings.REDIS_URL)
    cache, counter = caches["ratelimit"], str(uuid.uuid4())
    assert [cache.add(counter, 1, 60), cache.add(counter, 1, 60), cache.incr(counter)] == [True, False, 2]
    assert 0 < cache.ttl(counter) <= 60


def test_threads_together_get_no_more_than_one_would(limits, move_redis, settings):
    from django.test import Client

    limits.RATELIMIT_CALLER = "10/h"
    found = []

    def ask():
        client = Client(headers={"X-Caller": "person"})
        found.extend(statuses(client, "/empty", 5))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found.count(204), found.count(429)) == (10, 10)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "198.51.100.7", "203.0.113.9"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "10.0.0.1, 198.51.100.7", "198.51.100.7"),
        (2, "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (2, "1.2.3.4, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (2, "198.51.100.7", "203.0.113.9"),
        (1, "", "unknown"),
        (1, "nonsense", "unknown"),
    ],
)
def test_an_address_is_believed_as_far_as_our_proxies_wrote_it(rf, settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR="203.0.113.9", headers={"X-Forwarded-For": forwarded})
    assert client_network(request) == address
