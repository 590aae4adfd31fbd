"""How often who may ask: callers by their key, strangers and sign-ins by their address, counted in Redis."""

import ipaddress
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest
from django_ratelimit.core import _split_rate, get_usage
from django_redis.cache import RedisCache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from users.callers import Caller

if TYPE_CHECKING:
    # Imported by it: DRF's views load the classes that settings name.
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

# An IPv6 customer owns at least a /64, and would otherwise have 2**64 addresses to ask from.
IPV6_PREFIX = 64


class RateLimited(Exception):
    """Too many requests in the window; `headers` tell when the next one is welcome."""

    code = "rate_limited"
    title = "Rate limited"

    def __init__(self, *, policy: str, limit: int, window: int, wait: int) -> None:
        super().__init__(f"At most {limit} requests in {window} seconds; wait {wait} seconds, then go on.")
        self.data: dict[str, Any] = {"retry_after": wait}
        self.headers = {
            "Retry-After": str(wait),
            "RateLimit-Policy": f'"{policy}";q={limit};w={window}',
            "RateLimit": f'"{policy}";r=0;t={wait}',
        }


class AddressLimit(BaseThrottle):
    """Limits strangers by address; where `throttle_scope` is "login" everyone, and more tightly."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if getattr(view, "throttle_scope", None) == "login":
            _count(request, policy="login", rate=settings.RATELIMIT_LOGIN, who=client_network(request))
        elif request.user is None:
            _count(request, policy="address", rate=settings.RATELIMIT_ADDRESS, who=client_network(request))
        return True


class CallerLimit(BaseThrottle):
    """Limits those who are known, people and services each at their own rate."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        caller = cast(Caller | None, request.user)
        if caller is not None:
            rate = settings.RATELIMIT_SERVICE if caller.kind == "service" else settings.RATELIMIT_CALLER
            _count(request, policy="caller", rate=rate, who=caller.key)
        return True


def count_failed_authentication(request: HttpRequest | Request) -> None:
    """Count a refused token or signature against its address: DRF throttles only those that it let in."""
    _count(request, policy="address", rate=settings.RATELIMIT_ADDRESS, who=client_network(request))


def _count(request: HttpRequest | Request, *, policy: str, rate: str, who: str) -> None:
    """Count one request of `who`. Raises RateLimited when there were more than `rate` in this window."""
    usage = get_usage(request, group=policy, key=lambda _group, _request: who, rate=rate, increment=True)
    if usage is not None and usage["should_limit"]:
        limit, window = _split_rate(rate)
        raise RateLimited(policy=policy, limit=limit, window=window, wait=max(1, usage["time_left"]))


def client_network(request: HttpRequest | Request) -> str:
    """The client's address as far as our own proxies vouch for it; for IPv6 its /64."""
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))


def client_address(request: HttpRequest | Request) -> str:
    """What the outermost of our proxies saw: each of them appends the address that it was called from."""
    meta, proxies = request.META, settings.TRUSTED_PROXIES
    if proxies:
        hops = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(hops) >= proxies:
            return hops[-proxies].strip()
    return meta.get("REMOTE_ADDR", "")


class SteadyCache(RedisCache):
    """Redis for counting, and this process's own memory while Redis is down or slow.

    A failure sends everyone to the local counters for a moment; then one request tries Redis again, so that a
    hanging server costs one socket timeout each `PAUSE` and not one for each request.
    """

    PAUSE = 2.0
    # Seconds that a counter lives which vanished from Redis within its window.
    RESTARTED = 3600
    MOST_COUNTERS = 10_000
    # Shared by the threads, since Django makes a cache object for each: moments of the monotonic clock until which
    # Redis is left alone, and until which a counter is known to exist, so that counting on is one round trip.
    _away_until: dict[str, float] = {}
    _known_until: dict[tuple[str, str], float] = {}

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._place = str(server)
        self._local = LocMemCache(f"steady {server}", {"OPTIONS": {"MAX_ENTRIES": self.MOST_COUNTERS}})

    def add(self, key: str, value: Any, timeout: Any = None, **options: Any) -> bool:
        """Start a counter; False where there is one, which is known without asking after the first time."""
        if self._known_until.get((self._place, key), 0.0) > time.monotonic():
            return False
        added = self._steadily(
            lambda: super(SteadyCache, self).add(key, value, timeout, **options),
            lambda: self._local.add(key, value, timeout),
        )
        self._remember(key, timeout)
        return added

    def incr(self, key: str, delta: int = 1, **options: Any) -> int:
        """Count on. A counter that isn't there, since Redis came or went, starts again."""
        return self._steadily(lambda: self._redis_incr(key, delta), lambda: self._local_incr(key, delta))

    def get(self, key: str, default: Any = None, **options: Any) -> Any:
        return self._steadily(
            lambda: super(SteadyCache, self).get(key, default, **options), lambda: self._local.get(key, default)
        )

    def _redis_incr(self, key: str, delta: int) -> int:
        redis, name = self.client.get_client(write=True), self.client.make_key(key)
        count = redis.incrby(name, delta)
        if count == delta:
            redis.expire(name, self.RESTARTED)
        return count

    def _local_incr(self, key: str, delta: int) -> int:
        return delta if self._local.add(key, delta, self.RESTARTED) else self._local.incr(key, delta)

    def _remember(self, key: str, timeout: Any) -> None:
        if len(self._known_until) >= self.MOST_COUNTERS:
            self._known_until.clear()
        self._known_until[self._place, key] = time.monotonic() + (timeout or 0)

    def _steadily(self, ask: Callable[[], Any], ask_here: Callable[[], Any]) -> Any:
        away_until, now = self._away_until.get(self._place, 0.0), time.monotonic()
        if now < away_until:
            return ask_here()
        if away_until:
            self._away_until[self._place] = now + self.PAUSE
        try:
            result = ask()
        except (RedisError, OSError) as error:
            self._away_until[self._place] = time.monotonic() + self.PAUSE
            logger.warning("Rate limits are counted in this process only: %s", error)
            return ask_here()
        if away_until:
            self._away_until[self._place] = 0.0
        return result
