"""A world that meters: the reporter is a service that tells of usage, and Alice's wallet pays for it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from ledger import sql
from users.callers import Caller, System
from wallets.balances import Ask
from wallets.models import Meter, Wallet
from wallets.tests.conftest import Http, service
from wallets.usage import balances, ingestion, keys, meters, prices, settlement
from wallets.usage.balances import Balance
from wallets.usage.cache import memory
from wallets.usage.events import Event, Outcome
from wallets.usage.meters import NewMeter
from wallets.usage.pricing import Tier
from wallets.usage.tariffs import Tariff

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
TESTER = System("test")
EVERYBODY = Caller("service", UUID(int=1), frozenset({"wallets:read"}))
STUCK = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
FREE = Tariff("per_unit", Decimal(0))


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process remembers nothing of the test before."""
    memory.clear()
    monkeypatch.setattr(keys, "repeats", keys.Repeats())


@pytest.fixture
def clock(database: None) -> Iterator[Any]:
    """The tenth of March at noon, and it stands still until it is moved."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def somebody_waits() -> bool:
    """Whether another transaction waits for what this one has locked or claimed."""
    return bool(sql.rows(STUCK)[0][0])


@dataclass
class Metering:
    """Meters, prices and events, said in few words."""

    # Threads report as well: no two events have a number.
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def meter(
        self, slug: str = "calls", tariff: Tariff | str = "0.25", *, aggregation: str = "sum", property: str = "",
        currency: str = "NGN",
    ) -> Meter:  # fmt: skip
        """A meter with a price for everybody: one in minor units a unit, or a tariff."""
        made = meters.make(NewMeter(slug, slug.title(), "unit", aggregation, property), by=TESTER, now=timezone.now())
        self.price(slug, tariff, currency=currency)
        return made

    def price(self, slug: str, tariff: Tariff | str, *, currency: str = "NGN", **more: Any) -> Any:
        """The next version of a price."""
        tariff = Tariff("per_unit", Decimal(tariff)) if isinstance(tariff, str) else tariff
        return prices.announce(slug, tariff, currency=currency, by=TESTER, now=timezone.now(), **more)

    def event(
        self, wallet: Wallet, quantity: str | int = 1, *, meter: str = "calls", ago: float = 0.0, id: str = "",
        source: str = "gateway", **properties: Any,
    ) -> Event:  # fmt: skip
        """An event of so many seconds ago, under an id of its own unless it is given one."""
        at = timezone.now() - timedelta(seconds=ago)
        name = id or f"event-{next(self.numbers)}"
        return Event(source, name, wallet.pk, meter, Decimal(quantity), at, properties, "service:test")

    def take(self, *events: Event) -> list[Outcome]:
        """Take events as one batch."""
        return ingestion.take_durably(list(events), now=timezone.now())

    def use(self, wallet: Wallet, quantity: str | int = 1, **more: Any) -> Outcome:
        """One event, taken."""
        (outcome,) = self.take(self.event(wallet, quantity, **more))
        return outcome

    def settle(self, wallet: Wallet) -> Any:
        """Settle a wallet's usage now."""
        return settlement.settle(wallet.pk, by=TESTER, now=timezone.now())


@pytest.fixture
def metering(clock: Any) -> Metering:
    """A meter `calls` that sums, at a quarter of a kobo."""
    made = Metering()
    made.meter()
    return made


@pytest.fixture
def reporter(clock: Any) -> Http:
    """A service that reports usage and reads balances."""
    return service("reporter", ("usage:write", "wallets:read")).http


def read(wallet: Wallet) -> Balance:
    """A wallet's balance with its usage, as it is now."""
    (found,) = balances.read([Ask(EVERYBODY, wallet.pk)], now=timezone.now())
    assert isinstance(found, Balance)
    return found


def told(wallet: Wallet, /, **more: Any) -> dict[str, Any]:
    """An event as it goes over the wire."""
    body = {
        "event_id": "e-1", "source": "gateway", "wallet": str(wallet.pk), "meter": "calls", "quantity": "10",
        "occurred_at": timezone.now().isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    return body | more


def tiers(*pairs: tuple[str | None, str]) -> Tariff:
    """Graduated tiers: up to how much, at what."""
    steps = [Tier(None if up_to is None else Decimal(up_to), Decimal(price)) for up_to, price in pairs]
    return Tariff("graduated", tiers=steps)
