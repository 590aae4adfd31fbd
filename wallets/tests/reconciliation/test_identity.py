"""Whatever happened, the two balances differ by exactly what is known; and the same input gives the same matches."""

from itertools import count

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.accounts import NewAccount, open_accounts
from wallets import chart
from wallets.models import BooksItem, Match, StatementLine
from wallets.reconciliation import balances
from wallets.tests.reconciliation.conftest import NOW, Desk, Row, day
from wallets.tests.reconciliation.planted import DAYS, World, world

DESKS = count(1)
# Before all that is made up, where a bank may have been a day ahead: what a balance is stated for has no lines earlier.
FIRST = Row(-7, 500, "the-first-01")
SEEDS = st.integers(0, 10**6)


def new_desk() -> Desk:
    """A desk of its own: examples share a database."""
    desk = Desk(provider=f"bank{next(DESKS)}")
    lines = [chart.clearing(desk.provider, "NGN"), chart.suspense(desk.provider, "NGN")]
    with transaction.atomic():
        open_accounts(
            [NewAccount(line.code, line.type, line.currency, lanes=line.lanes, id=line.id) for line in lines], now=NOW
        )
    return desk


def book(desk: Desk, made: World) -> None:
    booked = [desk.posting(FIRST.day, FIRST.amount, FIRST.reference)]
    for ours in made.ours:
        undoes = None if ours.undoes is None else booked[ours.undoes + 1].id
        booked.append(desk.posting(ours.day, ours.amount, ours.name, undoes))
    desk.book_all(booked)


def state(desk: Desk, made: World, *, parts: int) -> None:
    """In several files, the first of which says where it all began."""
    made.random.shuffle(made.theirs)
    rows = [FIRST, *made.theirs]
    for part in range(parts):
        desk.state(rows[part::parts], opening=0 if part == 0 else None)


def moved(rows, until: int) -> int:
    return sum(row.amount for row in rows if row.day <= until and row.status in ("", "success"))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SEEDS, st.integers(1, DAYS), st.integers(1, 3))
@example(seed=2, until=1, parts=2)
def test_the_balances_differ_by_what_is_open_in_transit_and_accepted(desk, seed, until, parts):
    desk = new_desk()
    made = world(seed, payments=25, breaks=8)
    book(desk, made)
    state(desk, made, parts=parts)
    for _ in range(2):
        desk.reconcile()
        found = balances.explain(desk.account, day(until))
        assert found.ledger == FIRST.amount + sum(ours.amount for ours in made.ours if ours.day <= until)
        assert found.statement == FIRST.amount + moved(made.theirs, until)
        assert found.unexplained == 0


def matches(desk: Desk) -> list[tuple]:
    """Each match by what its members say; those that look the same are the same."""
    members: dict = {}
    lines = StatementLine.objects.filter(account=desk.account, match__isnull=False)
    items = BooksItem.objects.filter(account=desk.account, match__isnull=False)
    for match, *told in lines.values_list("match", "booked_on", "amount", "reference", "description"):
        members.setdefault(match, []).append(("line", *map(str, told)))
    for match, *told in items.values_list("match", "effective_on", "amount", "external_reference"):
        members.setdefault(match, []).append(("item", *map(str, told)))
    rules = dict(Match.objects.filter(account=desk.account).values_list("pk", "rule"))
    return sorted((rules[match], *sorted(found)) for match, found in members.items())


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SEEDS, st.integers(1, 3), st.integers(1, 3))
def test_the_same_input_in_any_order_and_any_files_gives_the_same_matches(desk, seed, one, other):
    told = []
    for parts in (one, other):
        desk = new_desk()
        made = world(seed, payments=25, breaks=8)
        book(desk, made)
        state(desk, made, parts=parts)
        desk.reconcile()
        told.append((matches(desk), desk.kinds()))
    assert told[0] == told[1]


@pytest.mark.parametrize("seed", range(3))
def test_a_second_run_with_nothing_new_changes_nothing(desk, seed):
    made = world(seed, payments=60, breaks=16)
    book(desk, made)
    state(desk, made, parts=2)
    desk.reconcile()
    before = matches(desk), [(found.pk, found.kind, found.theirs) for found in desk.open()]
    run = desk.reconcile()
    assert (run.matched_lines, run.matched_items, run.opened, run.resolved) == (0, 0, 0, 0)
    assert (matches(desk), [(found.pk, found.kind, found.theirs) for found in desk.open()]) == before
