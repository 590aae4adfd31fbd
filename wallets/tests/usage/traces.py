"""Shapes of usage, a number for each minute, the same for the same seed: what estimates and totals are tried on."""

import math
import random
from collections.abc import Callable
from random import Random

DAY = 1_440
# When the flash crowd comes, and for how many minutes.
FLASH = range(3_200, 3_500)


def trace(shape: str, seed: int, minutes: int) -> list[float]:
    """How much is used in each of so many minutes."""
    chance = random.Random(f"{shape} {seed}")
    make = SHAPES[shape]()
    return [make(minute, chance) for minute in range(minutes)]


def _steady() -> Callable[[int, Random], float]:
    return lambda minute, chance: _poisson(chance, 20) * chance.uniform(0.8, 1.2)


def _daily() -> Callable[[int, Random], float]:
    return lambda minute, chance: _poisson(chance, 20 * (1 + 0.9 * math.sin(2 * math.pi * minute / DAY)))


def _bursts() -> Callable[[int, Random], float]:
    left = 0

    def make(minute: int, chance: Random) -> float:
        nonlocal left
        if not left and chance.random() < 1 / 40:
            left = chance.randint(3, 12)
        used = _poisson(chance, 60) if left else 0.0
        left = max(0, left - 1)
        return used

    return make


def _cron() -> Callable[[int, Random], float]:
    return lambda minute, chance: _poisson(chance, 300) if minute % 15 == 0 else 0.0


def _sparse() -> Callable[[int, Random], float]:
    return lambda minute, chance: float(chance.choice((5, 50))) if chance.random() < 0.05 else 0.0


def _flash() -> Callable[[int, Random], float]:
    return lambda minute, chance: _poisson(chance, 300 if minute in FLASH else 20)


SHAPES = {"steady": _steady, "daily": _daily, "bursts": _bursts, "cron": _cron, "sparse": _sparse, "flash": _flash}


def _poisson(chance: Random, mean: float) -> float:
    """A number of independent arrivals; for many, by the normal distribution."""
    if mean > 50:
        return float(max(0, round(chance.gauss(mean, math.sqrt(mean)))))
    limit, product, count = math.exp(-max(0.0, mean)), chance.random(), 0
    while product > limit:
        product, count = product * chance.random(), count + 1
    return float(count)
