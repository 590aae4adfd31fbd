"""What an estimate needs beside the account, kept near: a second in this process, an hour in Redis.

Whoever reads has asked the account for its version, and takes only what was kept of that version: so a cache that is
stale, emptied or away changes what an answer costs, and never the answer.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock
from time import monotonic
from typing import TypeVar
from uuid import UUID

import msgspec
from django.db import transaction
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from wallets.usage.forecasts import Forecast
from wallets.usage.months import month_of
from wallets.usage.pricing import Price
from wallets.usage.profiles import Profile, profile
from wallets.usage.redis_line import Command, Line
from wallets.usage.totals import Totals

logger = logging.getLogger(__name__)

R = TypeVar("R")

IN_MEMORY_SECONDS, IN_REDIS_SECONDS = 1.0, 3_600
MOST_IN_MEMORY = 10_000
# After a failure Redis is left alone for so many seconds: a server that hangs costs one time-out, not one a request.
PAUSE = 2.0
_read_profile = msgspec.json.Decoder(Profile).decode
_read_forecast = msgspec.json.Decoder(Forecast).decode

# An older version can't take the place of a newer one.
REPLACE = """
for i, key in ipairs(KEYS) do
    local field, version, document = ARGV[i * 3 - 1], tonumber(ARGV[i * 3]), ARGV[i * 3 + 1]
    local known = tonumber(redis.call('HGET', key, field .. ':version') or '-1')
    if known < version then
        redis.call('HSET', key, field .. ':version', version, field, document)
        redis.call('EXPIRE', key, ARGV[1])
    end
end
"""
# Which of the wallets somebody has read lately, by their places.
WATCHED = """
local found = {}
for i, key in ipairs(KEYS) do
    if redis.call('HEXISTS', key, ARGV[1]) == 1 then found[#found + 1] = i end
end
return found
"""
PROFILE, FORECAST = "profile", "forecast"
line = Line(lambda: get_redis_connection("default").connection_pool)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a wallet's usage, as far as it is."""

    profile: Profile | None = None
    forecast: Forecast | None = None


class _Memory:
    """What this process has kept for a second."""

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[float, Kept]] = {}
        self._guard = Lock()

    def get(self, wallet: UUID) -> Kept:
        until, kept = self._kept.get(wallet, (0.0, Kept()))
        return kept if monotonic() < until else Kept()

    def keep(self, wallet: UUID, kept: Kept) -> None:
        with self._guard:
            if len(self._kept) >= MOST_IN_MEMORY:
                self._kept.clear()
            self._kept[wallet] = monotonic() + IN_MEMORY_SECONDS, kept

    def clear(self) -> None:
        with self._guard:
            self._kept.clear()


memory = _Memory()
_away_until = 0.0
# After a refusal nothing is given to Redis for as long: it may be full, or may only be read.
_keeps_again_at = 0.0


def is_away() -> bool:
    """Whether Redis failed just now."""
    return monotonic() < _away_until


def from_redis(wallets: Iterable[UUID]) -> dict[UUID, Kept]:
    """What Redis has kept; nothing where it is away."""
    return ask_redis(wallets)()


def ask_redis(wallets: Iterable[UUID]) -> Callable[[], dict[UUID, Kept]]:
    """What `from_redis` tells, asked for now and read later."""
    wanted = list(wallets)
    commands = [("HMGET", _name(wallet), PROFILE, FORECAST) for wallet in wanted]
    asked = _carefully(lambda: line.ask(commands)) if commands else None

    def read() -> dict[UUID, Kept]:
        answers = _carefully(asked.read) if asked else None
        return {wallet: _read(*found) for wallet, found in zip(wanted, answers or (), strict=False)}

    return read


def ask_ahead(wallets: Iterable[UUID]) -> Callable[[Iterable[UUID]], dict[UUID, Kept]]:
    """Ask Redis for those that memory has nothing of, before it is known which are wanted; and return what reads those
    that are, asked for or not.
    """
    ahead = {wallet for wallet in wallets if memory.get(wallet) == Kept()}
    first = ask_redis(ahead)

    def read(wallets: Iterable[UUID]) -> dict[UUID, Kept]:
        wanted = set(wallets)
        return {wallet: kept for wallet, kept in first().items() if wallet in wanted} | from_redis(wanted - ahead)

    return read


def keep(kept: Mapping[UUID, Kept]) -> None:
    """Keep what was read from the database, near and far."""
    entries: list[tuple[UUID, str, int, bytes]] = []
    for wallet, each in kept.items():
        memory.keep(wallet, each)
        for field, document in ((PROFILE, each.profile), (FORECAST, each.forecast)):
            if document is not None:
                entries.append((wallet, field, document.version, msgspec.json.encode(document)))
    _replace(entries)


def write_through(locked: Totals) -> None:
    """Once the current transaction commits, renew what Redis has of the wallets' months. What nobody has read isn't
    there, and costs nothing.
    """
    transaction.on_commit(lambda: _renew(locked))


def _renew(locked: Totals) -> None:
    wallets = list(locked.accounts)
    asked: Command = ("EVAL", WATCHED, len(wallets), *map(_name, wallets), PROFILE)
    answers = _carefully(lambda: line.ask([asked]).read())
    watched = [wallets[number - 1] for number in answers[0]] if answers else ()
    _replace((each[0], PROFILE, each[1].version, msgspec.json.encode(each[1])) for each in _new(locked, watched))


def _new(locked: Totals, watched: Iterable[UUID]) -> Iterable[tuple[UUID, Profile]]:
    """Profiles after what was written, of those whose current month was read whole."""
    wanted = {wallet: month_of(locked.accounts[wallet].watermark) for wallet in watched}
    found: dict[UUID, dict[UUID, dict[Price, Decimal]]] = {}
    for group, parts in locked.months.items():
        if wanted.get(group.wallet) == group.month:
            quantities = {part.price: part.quantity for part in parts.values()}
            found.setdefault(group.wallet, {})[group.meter] = quantities
    for wallet, meters in found.items():
        yield wallet, profile(locked.accounts[wallet].version, wanted[wallet], meters)


def _replace(entries: Iterable[tuple[UUID, str, int, bytes]]) -> None:
    """Have Redis keep these. Nobody waits for it."""
    if monotonic() < _keeps_again_at:
        return
    keys: list[str] = []
    arguments: list[int | str | bytes] = [IN_REDIS_SECONDS]
    for wallet, field, version, document in entries:
        keys.append(_name(wallet))
        arguments += [field, version, document]
    command: Command = ("EVAL", REPLACE, len(keys), *keys, *arguments)
    if keys:
        _carefully(lambda: line.say([command], _keep_no_more))


def _read(found_profile: bytes | None, found_forecast: bytes | None) -> Kept:
    try:
        return Kept(
            _read_profile(found_profile) if found_profile else None,
            _read_forecast(found_forecast) if found_forecast else None,
        )
    except (msgspec.DecodeError, ValueError):
        # As another release wrote it.
        return Kept()


def _name(wallet: UUID) -> str:
    return f"usage:{wallet.hex}"


def _carefully(ask: Callable[[], R]) -> R | None:
    """What Redis answers, or None where it is away: it is left alone for a moment then."""
    if is_away():
        return None
    try:
        return ask()
    except (RedisError, OSError) as error:
        _leave_alone(error)
        return None


def _keep_no_more(refusal: Exception) -> None:
    """Redis has refused something to be kept; it may yet be asked."""
    global _keeps_again_at
    _keeps_again_at = monotonic() + PAUSE
    logger.warning("Redis keeps nothing of usage, which costs the database more: %s", refusal)


def _leave_alone(error: Exception) -> None:
    global _away_until
    _away_until = monotonic() + PAUSE
    logger.warning("Redis can't be asked for usage, the database is: %s", error)
