"""Healing: all that went wrong stops, time passes until nothing is due, and then a person sees to what is left."""

import random
from datetime import UTC, datetime, timedelta

from django.db.models import Min

from wallets.models import TopUp, WebhookEvent, Withdrawal
from wallets.tests.interleavings.judge import Judge, paid_once
from wallets.tests.interleavings.programs import Program
from wallets.tests.interleavings.street import Street
from wallets.tests.interleavings.world import REFUSALS, World
from wallets.withdrawals import review

# Nothing of ours takes longer than an order that waits a day and a bank that is looked at for three more.
DAYS = 12
SETTLED = 2.0
Status = Withdrawal.Status


def run(street: Street, steps: Program, seed: int) -> None:
    """One interleaving, from its first step until all is settled. Raises AssertionError."""
    random.seed(seed)
    world = World(street)
    judge = Judge(world)
    try:
        moves = world.moves()
        for step in steps:
            getattr(world, step.name)(step.x, step.y)
            if moves != (moves := world.moves()):
                paid_once(world)
        heal(world, seed)
        judge.healed()
        see_to_it(world)
        judge.settled()
    finally:
        street.crew.dismiss()


def heal(world: World, seed: int) -> None:
    """The way is free, the bank decides what it has left open, and of the webhooks all come or none."""
    world.heal(0, 0)
    world.resume(0, 0)
    for index in range(len(world.wanted)):
        (world.approve if seed % 2 else world.reject)(index, 0)
    while world.street.crew.stopped:
        (world.go_on if random.random() < 0.5 else world.die)(0, 0)
    world.sim.advance(SETTLED)
    for number, found in enumerate(world.transfers()):
        world.sim.bank.move(found.id, ("success", "failed")[(seed + number) % 2])
    if seed % 3:
        everything_is_told(world)
    until_quiet(world)


def see_to_it(world: World) -> None:
    """Every webhook has come, staff has had the bank asked again, and decided by its books what that left."""
    everything_is_told(world)
    for index in range(len(world.wanted)):
        if row_of(world, index).status == Status.IN_REVIEW:
            world.ask_again(index, 0)
    until_quiet(world)
    for index, one in enumerate(world.wanted):
        row = row_of(world, index)
        if row.status == Status.IN_REVIEW:
            paid = any(found.state == "success" for found in world.transfers_of(one))
            deed = review.settle_as_paid if paid else review.settle_as_failed
            try:
                deed(one.id, actor=world.street.staff.user, reason="Their books.", now=world.now())
            except REFUSALS:
                assert row.failure_code.endswith("money_gone")
    until_quiet(world)


def everything_is_told(world: World) -> None:
    """Each webhook is delivered, and looked at anew where it was given up."""
    for index in range(len(world.deliveries())):
        world.deliver(index, 0)
    dead = WebhookEvent.objects.filter(reference__in=world.references(), state=WebhookEvent.State.DEAD)
    dead.update(state=WebhookEvent.State.WAITING, next_at=world.now(), lease=0)


def until_quiet(world: World) -> None:
    """Let time pass from one due row to the next, until there is none, and the bank has done all that it will."""
    end = world.now() + timedelta(days=DAYS)
    while True:
        for deed in world.due():
            deed()
        at = _next(world)
        if at is None:
            return
        assert at < end, "it never comes to rest"
        world.sim.advance(max((at - world.now()).total_seconds(), 0) + 0.001)


def _next(world: World) -> object:
    """When something is due again. Of what may only be paid late, no more is asked than its last questions."""
    mine = Withdrawal.objects.filter(wallet__in=world.wallets)
    theirs = world.sim.bank.next_due()
    found = [mine.aggregate(at=Min("next_at"))["at"], theirs and datetime.fromtimestamp(theirs, UTC)]
    if world.told:
        events = WebhookEvent.objects.filter(reference__in=world.references())
        found.append(events.aggregate(at=Min("next_at"))["at"])
    wishes = TopUp.objects.filter(wallet__in=world.wallets, next_at__isnull=False)
    if not any(found) and wishes.exists():
        ends = wishes.values_list("expires_at", "next_at", "status")
        return min(next_at if status == "expired" else max(next_at, expires_at) for expires_at, next_at, status in ends)
    return min((at for at in found if at), default=None)


def row_of(world: World, index: int) -> Withdrawal:
    """A withdrawal as it stands."""
    return Withdrawal.objects.get(pk=world.wanted[index].id)
