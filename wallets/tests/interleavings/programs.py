"""Programs: lists of steps that a seed decides, and that still make sense with any of them left out."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# How likely each operation of `World` is, against the others.
WEIGHTS = {
    "ask": 5, "cancel": 2, "spend": 1, "top_up": 3, "insist": 1,
    "approve": 3, "reject": 1, "retry": 3, "ask_again": 2, "halt": 1, "resume": 2,
    "work": 10, "sweep": 6, "begin": 7, "go_on": 7, "die": 3, "wait": 8, "hurry": 6, "persist": 5,
    "fault": 10, "lose": 3, "heal": 3, "bank_pays": 2, "bank_fails": 2, "bank_reverses": 2, "charge": 2,
    "payer_pays": 4, "payer_fails": 1, "deliver": 6, "lie": 1, "forge": 1, "gossip": 3,
}  # fmt: skip
SHORTEST, LONGEST = 8, 45


@dataclass(frozen=True, slots=True)
class Step:
    """An operation, and two numbers that choose among what there is."""

    name: str
    x: int
    y: int

    def __str__(self) -> str:
        return f"{self.name}({self.x}, {self.y})"


Program = tuple[Step, ...]


def program(seed: int) -> Program:
    """The program of a seed. It begins with a withdrawal or a top-up."""
    dice = random.Random(seed)
    names = [dice.choice(("ask", "ask", "top_up"))]
    names += dice.choices([*WEIGHTS], [*WEIGHTS.values()], k=dice.randint(SHORTEST, LONGEST))
    return tuple(Step(name, dice.randrange(1_000), dice.randrange(1_000)) for name in names)


def shrunk(steps: Program, fails: Callable[[Program], bool]) -> Program:
    """A part of a failing program that fails without any piece of it left out."""
    size = max(len(steps) // 2, 1)
    while True:
        shorter = next((part for part in _without(steps, size) if fails(part)), None)
        if shorter is not None:
            steps = shorter
        elif size == 1:
            return steps
        else:
            size = max(size // 2, 1)


def _without(steps: Program, size: int) -> Iterable[Program]:
    for begin in range(0, len(steps), size):
        yield steps[:begin] + steps[begin + size :]
