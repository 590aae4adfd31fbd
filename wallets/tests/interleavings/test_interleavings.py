"""Random interleavings: whatever happens in whatever order, no bank pays twice, and all books agree in the end."""

import os
import sys
import time

import pytest

from ledger import verify
from wallets.tests.interleavings.healing import run
from wallets.tests.interleavings.programs import Program, program, shrunk
from wallets.tests.interleavings.street import Street, street

SLICE = 10
# `FIRST_SEED=5000 make torture` goes on where another run was stopped.
FIRST, COUNT = int(os.environ.get("FIRST_SEED", "1")), int(os.environ.get("SEEDS", "10000"))
EVERY = 100


@pytest.fixture
def town(committed, settings, alice, sade):
    with street(settings, alice, sade) as made:
        yield made


def test_a_few_interleavings_end_where_the_books_of_the_banks_say(town):
    for seed in range(SLICE):
        try_out(town, seed)
    assert verify.clean()
    assert town.sim.books("-")["balanced"]


@pytest.mark.slow
def test_ten_thousand_interleavings_end_where_the_books_of_the_banks_say(town, capsys):
    began = time.monotonic()
    for number, seed in enumerate(range(FIRST, FIRST + COUNT), 1):
        try_out(town, seed)
        if number % EVERY == 0 or number == COUNT:
            assert verify.clean(), f"the ledger isn't clean after seed {seed}"
            with capsys.disabled():
                sys.stdout.write(f"\n{number} of {COUNT}, to seed {seed}, in {time.monotonic() - began:.0f} s")
    assert town.sim.books("-")["balanced"]


def try_out(town: Street, seed: int) -> None:
    """Run the program of a seed; a failing one is told as short as it still fails."""
    steps = program(seed)
    error = failure(town, steps, seed)
    if error is not None:
        short = shrunk(steps, lambda part: failure(town, part, seed) is not None)
        why = failure(town, short, seed) or error
        listed = "\n".join(f"    {step}" for step in short)
        raise AssertionError(f"seed {seed}: {why!r}\nafter\n{listed}") from why


def failure(town: Street, steps: Program, seed: int) -> Exception | None:
    """What goes wrong with a program, if anything does."""
    try:
        run(town, steps, seed)
    except Exception as error:
        return error
    return None
