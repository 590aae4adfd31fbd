"""What every interleaving happens in: the simulator, its three providers as the product has them, and rules."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from wallets import bank_accounts, providing
from wallets.models import ApprovalRule, FeeRule
from wallets.simulator.clock import Clock
from wallets.simulator.server import Simulator, simulating
from wallets.tests.conftest import Person
from wallets.tests.interleavings.workers import Crew, crew, stopping

START = datetime(2030, 1, 1, 12, tzinfo=UTC)
SLUGS = ("paystack", "flutterwave", "fincra")
CALLS = ("submit_payout", "query_payout", "query_deposit")
# A withdrawal costs so much, and above the threshold a second person must approve it.
FLAT, BASIS_POINTS, THRESHOLD = 10, 100, 70_000


@dataclass
class Street:
    """The simulator, whose clock is everybody's, the cast, and a bank account at each provider."""

    sim: Simulator
    crew: Crew
    alice: Person
    staff: Person
    accounts: dict[str, Any] = field(default_factory=dict)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.sim.clock.now(), UTC)


def at_providers(cases: Iterable[str]) -> list[Any]:
    """Parameters: each case with a provider, taken in turn; with all of them in `make torture`."""
    return [
        pytest.param(slug, case, marks=() if place % len(SLUGS) == SLUGS.index(slug) else pytest.mark.slow)
        for place, case in enumerate(cases)
        for slug in SLUGS
    ]


@contextmanager
def street(settings: Any, alice: Person, staff: Person) -> Iterator[Street]:
    """The providers' adapters, unchanged but that workers stop around their calls, at the simulator's address."""
    with simulating(clock=Clock(stopped_at=START.timestamp())) as sim, crew() as workers:
        settings.DEFAULT_PROVIDER = "sandbox"
        settings.PROVIDERS = {"sandbox": settings.PROVIDERS["sandbox"]} | {
            slug: (f"wallets.providers.{slug}.adapter.{slug.capitalize()}Provider", _options(sim, slug))
            for slug in SLUGS
        }
        providing.registry.cache_clear()
        made = Street(sim, workers, alice, staff)
        for slug in SLUGS:
            made.accounts[slug] = bank_accounts.add(
                caller=alice.caller, provider=slug, bank_code="058", account_number="0000000000", currency="NGN",
                now=START,
            )  # fmt: skip
            bank = providing.provider(slug)
            for call in CALLS:
                setattr(bank, call, stopping(getattr(bank, call)))
        FeeRule.objects.create(currency="NGN", flat=FLAT, basis_points=BASIS_POINTS)
        ApprovalRule.objects.create(currency="NGN", kind="amount", threshold=THRESHOLD)
        try:
            yield made
        finally:
            providing.registry.cache_clear()


def _options(sim: Simulator, slug: str) -> dict[str, Any]:
    keys, common = sim.keys, {"mode": "test", "base_url": sim.base(slug)}
    return common | {
        "paystack": {"secret_key": keys.paystack_secret, "webhook_secrets": [keys.paystack_secret]},
        "flutterwave": {"secret_key": keys.flutterwave_secret, "webhook_secrets": [keys.flutterwave_hash]},
        "fincra": {
            "secret_key": keys.fincra_secret, "public_key": keys.fincra_public, "business_id": keys.fincra_business,
            "webhook_secrets": [keys.fincra_webhook],
        },
    }[slug]  # fmt: skip
