"""Of the breaks planted among many payments every one is found, as what it is, and nothing else is reported."""

import pytest

from wallets.models import BooksItem, Break, StatementLine
from wallets.tests.reconciliation.planted import World, world


def settle(desk, made: World) -> dict[object, str]:
    """Book and state a whole world; returns the marks of our transactions by id."""
    booked: list = []
    for ours in made.ours:
        undoes = None if ours.undoes is None else booked[ours.undoes].id
        booked.append(desk.posting(ours.day, ours.amount, ours.name, undoes))
    desk.book_all(booked)
    desk.state(made.theirs)
    return {posting.id: f"#{number}" for number, posting in enumerate(booked)}


def found(marks: dict[object, str]) -> list[tuple[str, frozenset[str]]]:
    """The open breaks by kind and the marks of their members."""
    members: dict[object, set[str]] = {}
    for id, mark in StatementLine.objects.filter(found__state="open").values_list("found", "external_id"):
        members.setdefault(id, set()).add(mark)
    for id, transaction in BooksItem.objects.filter(found__state="open").values_list("found", "transaction"):
        members.setdefault(id, set()).add(marks[transaction])
    kinds = Break.objects.filter(state="open").values_list("pk", "kind")
    return [(kind, frozenset(members[id])) for id, kind in kinds]


def check(desk, seed: int, *, payments: int, breaks: int) -> None:
    made = world(seed, payments=payments, breaks=breaks)
    marks = settle(desk, made)
    run = desk.reconcile()
    told = set(found(marks))
    planted = set(made.breaks)
    assert sorted(told - planted, key=str)[:5] == [], "reported, and not planted"
    assert sorted(planted - told, key=str)[:5] == [], "planted, and not found"
    assert len(found(marks)) == len(planted) == breaks
    assert run.statement_balance is None


@pytest.mark.parametrize("seed", range(3))
def test_every_planted_break_is_found_and_nothing_else(desk, seed):
    check(desk, seed, payments=400, breaks=40)


@pytest.mark.slow
def test_of_a_thousand_planted_breaks_every_one_is_found_and_nothing_else(desk):
    check(desk, 2026, payments=60_000, breaks=1_000)
