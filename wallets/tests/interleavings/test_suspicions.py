"""Interleavings that chance seldom finds, written down: each is where a bank would be made to pay twice."""

import pytest

from wallets.tests.interleavings.healing import run
from wallets.tests.interleavings.programs import Program, Step
from wallets.tests.interleavings.street import SLUGS, at_providers, street
from wallets.tests.interleavings.world import FAULTS, PAUSES

WEBHOOKS_LATER, WEBHOOKS_AT_ONCE = 3, 4


@pytest.fixture
def town(committed, settings, alice, sade):
    with street(settings, alice, sade) as made:
        yield made


def steps(*names: str | Step) -> Program:
    return tuple(name if isinstance(name, Step) else Step(name, 0, 0) for name in names)


def wrong(kind: str, **more: object) -> Step:
    """A fault of `FAULTS`, at every provider."""
    wanted = {"kind": kind, **more}
    number = next(number for number, fault in enumerate(FAULTS) if wanted.items() <= fault.items())
    return Step("fault", number, 3)


def wait(seconds: int) -> Step:
    return Step("wait", PAUSES.index(seconds), 0)


LOSE, LOSE_LONG, PERSIST = Step("lose", 0, 0), Step("lose", 1, 0), Step("persist", 4, 0)
SUSPICIONS = {
    # A worker that slept before it called, while others asked, sent again and were refused, calls after all.
    "a late sender after a refusal": ("begin", wait(700), wrong("refused"), PERSIST, "go_on", "go_on", "go_on"),
    "and after a new attempt": (
        "begin", wait(700), wrong("refused"), PERSIST, "retry", "work", PERSIST, "go_on", "go_on", "go_on",
    ),
    "a refusal that nobody has written down": ("begin", "go_on", "die", wait(95), "work", PERSIST),
    "taken, and called bad": (wrong("error", status=400, when="after"), "work", PERSIST),
    "taken, called bad and hidden, and the money spent": (
        wrong("error", status=400, when="after"), wrong("hidden", seconds=8_000), "work", "spend",
    ),
    "word of an older attempt": (
        wrong("failed"), "work", wait(20), "work", "retry", "gossip", "work", Step("gossip", 0, 0), PERSIST,
    ),
    "back before we saw it paid": ("work", wait(1), "bank_reverses", "gossip", "work"),
    "paid as it was given up": (LOSE, "work", wait(15_000), PERSIST, "ask_again", PERSIST),
    # Said too early, and in the same words when it is so; by then nobody asks of their own accord any more.
    "back long after it was said to be": (
        "work", *(("hurry", "work") * 6), Step("lie", 0, 2), "deliver", "sweep", "sweep", "bank_reverses",
    ),
    "paid, and its price told later": (wrong("fee_untold", seconds=50_000), "work", wait(20), "work"),
    "paid, its price never told, and back": (
        wrong("fee_untold", seconds=50_000), "work", wait(20), "work", "bank_reverses", "gossip", "work",
    ),
    "paid, its price told, and back without it": (Step("charge", 0, 2), "work", wait(20), "work", "bank_reverses"),
    "later, and then cancelled": (wrong("rate_limit", times=1), "work", "cancel", "gossip", "work", "work"),
}  # fmt: skip


@pytest.mark.parametrize(("slug", "name"), at_providers(SUSPICIONS))
def test_what_was_suspected_ends_where_the_books_of_the_banks_say(town, slug, name):
    ask = Step("ask", SLUGS.index(slug), 0)
    for seed in (WEBHOOKS_LATER, WEBHOOKS_AT_ONCE):
        run(town, steps(ask, *SUSPICIONS[name]), seed)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_may_be_at_a_bank_is_never_cancelled(town, slug):
    ask, again = Step("ask", SLUGS.index(slug), 0), ("hurry", "work")
    for rounds in range(8):
        run(town, steps(ask, LOSE_LONG, "work", *again * rounds, "cancel"), WEBHOOKS_LATER)
