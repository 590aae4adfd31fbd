"""What a person may join by hand with what a break is about: open lines and transactions, the likeliest first."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Abs

from wallets.models import BooksItem, Break, StatementLine

SHOWN = 40


def lines(found: Break, *, text: str = "", amount: int | None = None) -> Sequence[StatementLine]:
    """Those of the break, then those whose amounts come nearest to what the statement lacks of our books.

    `text` is part of what they say, `amount` is in minor units, whichever its sign; either narrows the others down.
    """
    open_ones = StatementLine.objects.filter(account=found.account_id, match=None, status="booked")
    said = _saying(text, "reference", "external_id", "batch", "description")
    return _likeliest(open_ones, found, said & _of(amount), found.ours - found.theirs, "booked_on")


def items(found: Break, *, text: str = "", amount: int | None = None) -> Sequence[BooksItem]:
    """Likewise of our transactions, by what our books lack of the statement."""
    open_ones = BooksItem.objects.filter(account=found.account_id, match=None)
    said = _saying(text, "reference", "external_reference")
    return _likeliest(open_ones, found, said & _of(amount), found.theirs - found.ours, "effective_on")


def _saying(text: str, *columns: str) -> Q:
    found = Q()
    for column in columns if text else ():
        found |= Q((f"{column}__icontains", text))
    return found


def _of(amount: int | None) -> Q:
    return Q() if amount is None else Q(amount__in=(amount, -amount))


def _likeliest(rows: QuerySet[Any], found: Break, narrowed: Q, wanted: int, day: str) -> Sequence[Any]:
    own = Case(When(found=found, then=Value(0)), default=Value(1))
    near = Abs(F("amount") - Value(wanted))
    wanted_rows = rows.filter(Q(found=found) | narrowed) if narrowed else rows
    return list(wanted_rows.order_by(own, near, day, "pk")[:SHOWN])
