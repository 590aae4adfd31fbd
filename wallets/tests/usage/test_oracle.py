"""Shapes of usage with all that goes wrong on the way, against the oracle: `current` equals it at every watermark."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from threading import Lock

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone
from msgspec.structs import replace

from ledger.durable import OutcomeUnknown
from wallets.models import Wallet
from wallets.tests.conftest import Shop, books_are_clean
from wallets.tests.test_once import at_once
from wallets.tests.usage.conftest import Metering, read, tiers
from wallets.tests.usage.oracle import Oracle, OracleMeter, OraclePrice
from wallets.tests.usage.traces import SHAPES, trace
from wallets.together import DATABASE_AWAY
from wallets.usage import cache, recalculation, settling
from wallets.usage.events import Event
from wallets.usage.tariffs import Tariff

LONG_AGO = timedelta(days=60)
TIERS = ((Decimal(200), Decimal("0.731")), (Decimal(900), Decimal("0.2")), (None, Decimal("0.0333333")))
METERS = {
    "calls": ("sum", tiers(("200", "0.731"), ("900", "0.2"), (None, "0.0333333")), TIERS, {}),
    "jobs": ("count", Tariff("per_unit", Decimal("1.1"), allowance=Decimal(7)), ((None, Decimal("1.1")),),
             {"allowance": Decimal(7)}),
    "disk": ("max", Tariff("package", Decimal(25), Decimal(10)), ((None, Decimal(25)),), {"package": Decimal(10)}),
    "seats": ("unique", Tariff("per_unit", Decimal("9.99")), ((None, Decimal("9.99")),), {}),
    "level": ("latest", Tariff("per_unit", Decimal("0.5")), ((None, Decimal("0.5")),), {}),
}  # fmt: skip


@dataclass
class World:
    """The product and the oracle, told the same."""

    metering: Metering
    wallets: list[Wallet]
    chance: random.Random
    oracle: Oracle = field(default_factory=Oracle)
    sent: list[Event] = field(default_factory=list)
    guard: Lock = field(default_factory=Lock)

    def open(self, given: int) -> None:
        """Meters of every kind, and wallets that were given so much."""
        begun = timezone.now() - LONG_AGO
        for slug, (aggregation, tariff, steps, more) in METERS.items():
            property = "user" if aggregation == "unique" else ""
            if slug != "calls":
                self.metering.meter(slug, tariff, aggregation=aggregation, property=property)
            self.oracle.meters[slug] = OracleMeter(aggregation, [OraclePrice(begun, steps, **more)])
        self.oracle.given = {wallet.pk: given for wallet in self.wallets}

    def events(self, quantity: float) -> list[Event]:
        """So much, in a few events of some wallet, up to a week late."""
        made = []
        for _ in range(min(int(quantity), 3)):
            late = self.chance.choice((0, 0, 0, 90, 7_200, 600_000))
            part = f"{quantity / self.chance.randint(1, 5):.{self.chance.randint(0, 9)}f}"
            wallet, slug = self.chance.choice(self.wallets), self.chance.choice([*METERS, "calls", "calls"])
            made.append(self.metering.event(wallet, part, meter=slug, ago=late, user=self.chance.randint(1, 4)))
        return made

    def spoiled(self, events: list[Event], *, conflicts: bool = True, doubled: float = 0.6) -> list[Event]:
        """With duplicates of some of these and of what was sent before, with conflicts, and out of order."""
        again = [event for event in (*events, *self.sent[-40:]) if self.chance.random() < doubled]
        others = [each for each in again if self.chance.random() < 0.1] if conflicts else []
        self.sent += events
        batch = [*events, *again, *(replace(each, quantity=each.quantity + 1) for each in others)]
        self.chance.shuffle(batch)
        return batch

    def expected(self, batch: list[Event]) -> list[str]:
        """What the oracle answers."""
        return [
            self.oracle.report(each.source, each.event_id, each.wallet, each.meter,
                               (each.occurred_at, each.quantity, each.properties.get("user")))
            for each in batch
        ]  # fmt: skip

    def agrees(self) -> None:
        """Every wallet's current balance is the oracle's, to the last digit."""
        for wallet in self.wallets:
            assert read(wallet).current == self.oracle.current(wallet.pk)


def change_price(world: World) -> None:
    """Calls cost something else from ten minutes from now on."""
    at = timezone.now() + timedelta(minutes=10)
    world.metering.price("calls", "0.123456789", starts_at=at)
    world.oracle.meters["calls"].prices.append(OraclePrice(at, ((None, Decimal("0.123456789")),)))


def run(
    world: World, shop: Shop, clock, shape: str, seed: int, minutes: int,
    disturb: Callable[[int], None] = lambda minute: None,
) -> None:  # fmt: skip
    world.open(given=1_000)
    for minute, quantity in enumerate(trace(shape, seed, minutes)):
        clock.shift(60)
        disturb(minute)
        if minute == minutes // 2:
            change_price(world)
            shop.fund(world.wallets[0], 70_000)
            world.oracle.given[world.wallets[0].pk] += 70_000
        if batch := world.spoiled(world.events(quantity)):
            expected = world.expected(batch)
            assert [outcome.status for outcome in world.metering.take(*batch)] == expected
        if world.chance.random() < 0.2:
            world.metering.settle(world.chance.choice(world.wallets))
            cache.memory.clear()
        world.agrees()
    job = recalculation.begin(by=settling.WORKERS, now=timezone.now())
    recalculation.step(job, now=timezone.now())
    assert (job.differences, job.events, books_are_clean()) == (0, len(world.oracle.events), True)


@pytest.fixture
def world(metering_of_tiers, purse, bobs, shop):
    shop.fund(bobs, 1_000)
    return lambda seed: World(metering_of_tiers, [purse, bobs], random.Random(seed))


@pytest.fixture
def metering_of_tiers(clock):
    made = Metering()
    made.meter("calls", METERS["calls"][1])
    return made


@pytest.mark.parametrize("shape", SHAPES)
def test_current_equals_the_oracle_at_every_watermark(world, shop, clock, shape):
    run(world(1), shop, clock, shape, 1, minutes=40)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES)
def test_current_equals_the_oracle_for_long(world, shop, clock, shape, seed):
    run(world(seed), shop, clock, shape, seed, minutes=600)


def storm(world: World, batches: list[list[Event]], rounds: int) -> None:
    """Eight writers send all batches, each in its own order and again where it failed, while somebody cuts their
    connections, empties Redis and settles.
    """

    def write(number: int) -> None:
        chance = random.Random(number)
        for batch in chance.sample(batches, len(batches)):
            until_it_is_taken(world, batch)

    def disturb() -> None:
        for _ in range(rounds):
            cut_a_connection()
            cache.memory.clear()
            for wallet in world.wallets:
                try:
                    world.metering.settle(wallet)
                except (OperationalError, OutcomeUnknown):
                    connections.close_all()

    at_once(9, lambda number: write(number) if number < 8 else disturb())


def until_it_is_taken(world: World, batch: list[Event]) -> None:
    while True:
        try:
            world.metering.take(*batch)
            return
        except (*DATABASE_AWAY, OutcomeUnknown):
            connection.close()


def cut_a_connection() -> None:
    """As when a worker is killed in the middle of its transaction, or its server is restarted."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND usename <> current_user AND xact_start IS NOT NULL LIMIT 1"
        )
    connections["owner"].close()


def stormy(world: World, count: int, rounds: int) -> None:
    world.open(given=1_000)
    # Which of two that conflict comes first is chance, so that there are none.
    batches = [world.spoiled(world.events(20.0), conflicts=False) for _ in range(count)]
    for batch in batches:
        world.expected(batch)
    storm(world, batches, rounds)
    world.agrees()
    assert books_are_clean()


def test_eight_writers_whose_connections_are_cut(committed, world):
    stormy(world(1), count=12, rounds=6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_eight_writers_whose_connections_are_cut_for_long(committed, world, seed):
    stormy(world(seed), count=300, rounds=100)
