"""A month of payments on both sides, drawn from a seed, with breaks planted among them: plain Python, no SQL.

What is planted is known by kind and by its members: the provider's ids of lines, and our names of transactions.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from wallets.tests.reconciliation.conftest import Row

# A day on which everything has settled long ago when the statement ends.
DAYS, QUIET = 60, 40


@dataclass
class Ours:
    """A transaction to be booked; `undoes` is the position of the one that it reverses."""

    day: int
    amount: int
    name: str
    undoes: int | None = None


@dataclass
class World:
    """Both sides, and the breaks that must be found: a kind, and the marks of its members."""

    random: random.Random
    theirs: list[Row] = field(default_factory=list)
    ours: list[Ours] = field(default_factory=list)
    breaks: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    numbers: count = field(default_factory=lambda: count(1))

    def name(self) -> str:
        return f"pay-{next(self.numbers):07}-{self.random.randrange(16**6):06x}"

    def amount(self) -> int:
        """In or out, and never the same again: what has no name is told by it."""
        return self.random.choice((-1, 1)) * (self.random.randrange(1_000, 10**6) * 10**6 + next(self.numbers))

    def day(self) -> int:
        return self.random.randrange(2, QUIET)

    def near(self, day: int, days: int = 1) -> int:
        return day + self.random.randint(-days, days)

    def line(self, day: int, amount: int, name: str = "", **more: str | int) -> str:
        """A line of theirs; returns its mark."""
        mark = f"id{next(self.numbers):07}"
        self.theirs.append(Row(day, amount, name, mark, **more))
        return mark

    def item(self, day: int, amount: int, name: str = "", undoes: int | None = None) -> str:
        """A transaction of ours; returns its mark."""
        self.ours.append(Ours(day, amount, name, undoes))
        return f"#{len(self.ours) - 1}"

    def plant(self, kind: str, *marks: str) -> None:
        self.breaks.append((kind, frozenset(marks)))


def both_know(world: World) -> None:
    day, amount, name = world.day(), world.amount(), world.name()
    world.item(day, amount, name)
    world.line(world.near(day, 3), amount, name)


def with_a_fee(world: World) -> None:
    day, amount, name, fee = world.day(), world.amount(), world.name(), world.random.randrange(100, 5_000)
    world.item(day, amount, name)
    world.line(world.near(day), amount - fee, name, fee=fee)


def named_in_the_text(world: World) -> None:
    day, amount, name = world.day(), world.amount(), world.name()
    world.item(day, amount, name)
    world.line(world.near(day), amount, description=f"NIP TRF {name.upper()} to Chidi")


def nameless(world: World) -> None:
    day, amount = world.day(), world.amount()
    world.item(day, amount)
    world.line(world.near(day), amount, description="Transfer")


def equals(world: World) -> None:
    """Several of the same amount on one day, without a name: as many of theirs as of ours."""
    day, amount = world.day(), world.amount()
    for _ in range(world.random.randint(2, 4)):
        world.item(day, amount)
        world.line(day, amount, description="Card payment")


def settled_at_once(world: World) -> None:
    """Several of ours are one of theirs, some with a fee off."""
    day, name, fee = world.day(), world.name(), world.random.choice((0, 0, 1_500))
    amounts = [abs(world.amount()) for _ in range(world.random.randint(2, 6))]
    for amount in amounts:
        world.item(world.near(day), amount, name)
    world.line(day + 1, sum(amounts) - fee, "", batch=name, fee=fee)


def paid_in_parts(world: World) -> None:
    day, name = world.day(), world.name()
    amounts = [abs(world.amount()) for _ in range(world.random.randint(2, 4))]
    world.item(day, sum(amounts), name)
    for amount in amounts:
        world.line(world.near(day), amount, name)


def late_return(world: World) -> None:
    """Paid, and sent back days later: both sides know both."""
    day, amount, name = world.day(), -abs(world.amount()), world.name()
    paid = world.item(day, amount, name)
    world.line(day, amount, name)
    world.item(day + 6, -amount, name, undoes=int(paid[1:]))
    world.line(day + 6, -amount, name)


def undone_here(world: World) -> None:
    """Paid and sent back on our side; their statement shows neither."""
    day, amount, name = world.day(), -abs(world.amount()), world.name()
    paid = world.item(day, amount, name)
    world.item(day + 1, -amount, name, undoes=int(paid[1:]))


def undone_there(world: World) -> None:
    day, amount, name = world.day(), -abs(world.amount()), world.name()
    world.line(day, amount, name)
    world.line(day + 1, -amount, name)


def failed_there(world: World) -> None:
    """What failed at theirs, and isn't in our books."""
    world.line(world.day(), world.amount(), world.name(), status=world.random.choice(("failed", "reversed", "pending")))


SOUND: tuple[tuple[int, Callable[[World], None]], ...] = (
    (60, both_know), (8, with_a_fee), (6, named_in_the_text), (8, nameless), (3, equals), (4, settled_at_once),
    (2, paid_in_parts), (3, late_return), (2, undone_here), (2, undone_there), (3, failed_there),
)  # fmt: skip


def missing_here(world: World) -> None:
    name = world.random.choice((world.name(), ""))
    world.plant("missing_here", world.line(world.day(), world.amount(), name, description="Bank charge"))


def missing_there(world: World) -> None:
    name = world.random.choice((world.name(), ""))
    world.plant("missing_there", world.item(world.day(), world.amount(), name))


def other_amount(world: World) -> None:
    day, amount, name = world.day(), world.amount(), world.name()
    mine = world.item(day, amount, name)
    other = amount + world.random.choice((-1, 1)) * world.random.randrange(1, 900)
    world.plant("amount", mine, world.line(world.near(day), other, name))


def short_settlement(world: World) -> None:
    """One payment for several of ours, and not all of it."""
    day, name = world.day(), world.name()
    amounts = [abs(world.amount()) for _ in range(world.random.randint(2, 5))]
    mine = [world.item(world.near(day), amount, name) for amount in amounts]
    world.plant("amount", *mine, world.line(day, sum(amounts) - 777, name))


def other_day(world: World) -> None:
    day, amount, name = world.day(), world.amount(), world.name()
    mine = world.item(day, amount, name)
    world.plant("date", mine, world.line(day + world.random.randint(8, 18), amount, name))


def twice_there(world: World) -> None:
    """The provider did it twice: the second, which is the later, is too many."""
    day, amount, name = world.day(), world.amount(), world.name()
    world.item(day, amount, name)
    world.line(day, amount, name)
    world.plant("duplicate", world.line(day + 1, amount, name))


def twice_here(world: World) -> None:
    day, amount, name = world.day(), world.amount(), world.name()
    world.item(day, amount, name)
    world.line(day, amount, name)
    world.plant("duplicate", world.item(day + 1, amount, name))


def unpaid_there(world: World) -> None:
    day, amount, name = world.day(), world.amount(), world.name()
    mine = world.item(day, amount, name)
    status = world.random.choice(("failed", "reversed"))
    world.plant("status", mine, world.line(world.near(day), amount, name, status=status))


BREAKS: tuple[Callable[[World], None], ...] = (
    missing_here, missing_there, other_amount, short_settlement, other_day, twice_there, twice_here, unpaid_there,
)  # fmt: skip


def world(seed: int, *, payments: int, breaks: int) -> World:
    """So many payments, and as many breaks planted among them, in random order."""
    made = World(random.Random(seed))
    weights, sound = zip(*SOUND, strict=True)
    kinds = made.random.choices(sound, weights, k=payments)
    kinds += [BREAKS[number % len(BREAKS)] for number in range(breaks)]
    made.random.shuffle(kinds)
    for kind in kinds:
        kind(made)
    # A last day of the statement on which nothing of ours is waiting for anything.
    both_know(made)
    made.theirs[-1].day = made.ours[-1].day = DAYS
    made.random.shuffle(made.theirs)
    return made
