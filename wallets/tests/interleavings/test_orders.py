"""All orders of what a provider tells end in one state: each webhook makes us ask, and only the answer counts."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from wallets.models import TopUp, Withdrawal
from wallets.tests.interleavings.healing import until_quiet
from wallets.tests.interleavings.judge import Judge
from wallets.tests.interleavings.street import SLUGS, at_providers, street
from wallets.tests.interleavings.world import World
from wallets.webhooks import inbox

# What the bank does, whether we see it pay before it has the money back, and where that ends.
PAYOUTS = {
    "paid": (["success"], False, "completed"),
    "failed": (["failed"], False, "failed"),
    "reversed before we saw it paid": (["success", "reversed"], False, "failed"),
    "reversed after we saw it paid": (["success", "reversed"], True, "returned"),
}
# What the provider signs, true or not any more or never, one of them twice. Between any two a forged one comes.
TOLD = ("success", "success", "failed", "reversed")
DEPOSITS = {"paid": "completed", "failed": "failed"}
TOLD_OF_DEPOSITS = ("success", "success", "failed")


@pytest.fixture
def town(committed, settings, alice, sade):
    with street(settings, alice, sade) as made:
        yield made


@pytest.mark.parametrize(("slug", "fate"), at_providers(PAYOUTS))
def test_every_order_of_a_payouts_events_ends_in_one_state(town, slug, fate):
    course, seen, end = PAYOUTS[fate]
    for order in orders(TOLD):
        world = World(town)
        judge = Judge(world)
        world.ask(SLUGS.index(slug), 0)
        world.work(0, 0)
        for state in course:
            world.sim.bank.move(world.transfers()[0].id, state)
            if seen:
                world.gossip(0, 0)
                world.work(0, 0)
        if seen:
            assert Withdrawal.objects.get(wallet__in=world.wallets).status == end
        for event in order:
            tell(world, slug, event, world.transfers()[0], world.sim.faces[slug].transfer_event)
        assert Withdrawal.objects.get(wallet__in=world.wallets).status == end, order
        judge.settled()


@pytest.mark.parametrize(("slug", "fate"), at_providers(DEPOSITS))
def test_every_order_of_a_top_ups_events_ends_in_one_state(town, slug, fate):
    for order in orders(TOLD_OF_DEPOSITS):
        world = World(town)
        judge = Judge(world)
        world.top_up(SLUGS.index(slug), 0)
        (world.payer_pays if fate == "paid" else world.payer_fails)(0, 1)
        for event in order:
            tell(world, slug, event, world.deposits()[0], world.sim.faces[slug].deposit_event)
        until_quiet(world)
        assert TopUp.objects.get(wallet__in=world.wallets).status == DEPOSITS[fate], order
        judge.settled()


def orders(events: Iterable[str]) -> list[tuple[str, ...]]:
    """Each order of them once."""
    return sorted({*permutations(events)})


def tell(world: World, slug: str, event: str, thing: Any, write: Any) -> None:
    """Deliver an event about a payout or a deposit, where the provider has one for it, and act on it."""
    told = write(replace(thing, state=event))
    if told is not None:
        events = world.tell(slug, told.body)
        world.tell_forged(slug, told.body)
        # The event first, and then the withdrawal that it makes due.
        for id in events:
            assert inbox.handle(id, clock=world.now)
        world.work(0, 0)
