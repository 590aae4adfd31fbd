"""Lines of theirs and transactions of ours, side by side: how a break and a match show what they are about."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.text import Truncator

from backoffice import cells
from backoffice.tables import Column, Table
from wallets.admin import words
from wallets.models import BooksItem, Break, Match, StatementLine

THEIRS = (Column("Day"), Column("Reference"), Column("State"), Column("Amount", number=True))
OURS = (Column("Day"), Column("Reference"), Column("Kind"), Column("Amount", number=True))
SHOWN = 100


def sides(of: Break | Match, lines: QuerySet[StatementLine], items: QuerySet[BooksItem]) -> list[Table]:
    """The two tables; of one line and one transaction it is marked where they differ."""
    theirs, ours = list(lines.order_by("booked_on", "pk")[:SHOWN]), list(items.order_by("effective_on", "pk")[:SHOWN])
    currency = of.account.currency
    differs = _differing(theirs[0], ours[0]) if len(theirs) == len(ours) == 1 else frozenset()
    return [
        Table(_title("On their statement", theirs), THEIRS, [line_row(line, currency, differs) for line in theirs],
              "No statement tells of it.", _total(theirs, of.theirs, currency), beside=True),
        Table(_title("In our books", ours), OURS, [item_row(item, currency, differs) for item in ours],
              "Our books have nothing of it.", _total(ours, of.ours, currency), beside=True),
    ]  # fmt: skip


def line_row(line: StatementLine, currency: str, differs: frozenset[str] = frozenset()) -> tuple[Any, ...]:
    """A line of theirs; what never moved money stands in parentheses."""
    amount = cells.money(line.amount, currency)
    moved = amount if line.status == "booked" else format_html("({})", amount)
    found = {
        "day": cells.link("wallets_statementline", line.pk, cells.day(line.booked_on)), "reference": line_name(line),
        "status": words.state(line.status), "amount": moved,
    }  # fmt: skip
    return _marked(found, differs)


def item_row(item: BooksItem, currency: str, differs: frozenset[str] = frozenset()) -> tuple[Any, ...]:
    """A transaction of ours."""
    found = {
        "day": cells.day(item.effective_on), "reference": item_name(item), "status": item.kind,
        "amount": cells.money(item.amount, currency),
    }  # fmt: skip
    return _marked(found, differs)


def line_name(line: StatementLine) -> str:
    """What a line is called: its reference or their id, and what it says."""
    name, said = line.reference or line.external_id, Truncator(line.description).chars(60)
    if not name:
        return said or cells.NOTHING
    return cells.lines(cells.abridged(name), said) if said else cells.abridged(name)


def item_name(item: BooksItem) -> str:
    """What a transaction of ours is called outside, or the end of its reference, with a link to it."""
    name = item.external_reference or item.reference.rpartition(":")[2]
    return cells.link("ledger_transaction", item.transaction_id, cells.abridged(name))


def _differing(line: StatementLine, item: BooksItem) -> frozenset[str]:
    told = {"day": line.booked_on != item.effective_on, "amount": line.amount != item.amount}
    return frozenset(name for name, differs in told.items() if differs)


def _marked(found: dict[str, Any], differs: frozenset[str]) -> tuple[Any, ...]:
    return tuple(cells.marked(value) if name in differs else value for name, value in found.items())


def _title(title: str, rows: Sequence[Any]) -> str:
    return f"{title}, the first {SHOWN}" if len(rows) == SHOWN else title


def _total(rows: Sequence[Any], total: int, currency: str) -> list[tuple[Any, ...]]:
    return [("Total", "", "", cells.money(total, currency))] if len(rows) > 1 else []


def difference(found: Break) -> str:
    """Ours less theirs."""
    return cells.money(found.ours - found.theirs, found.account.currency)
