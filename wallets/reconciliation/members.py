"""What a break is about, as it stands now: its open lines and transactions, and what one side lacks of the other."""

from datetime import date

from django.db.models import Max, QuerySet, Sum

from wallets.models import BooksItem, Break, StatementLine
from wallets.opening import InvalidState


def members(found: Break) -> tuple[QuerySet[StatementLine], QuerySet[BooksItem]]:
    """The booked lines and the transactions that it is about, as far as they are open."""
    lines = StatementLine.objects.filter(found=found, match=None, status="booked")
    return lines, BooksItem.objects.filter(found=found, match=None)


def lacking(found: Break) -> int:
    """What our books lack of the statement, in minor units on the clearing account's normal side.

    Raises InvalidState where nothing of it is open any more.
    """
    lines, items = members(found)
    if not (lines.exists() or items.exists()):
        raise InvalidState("What it is about is explained by now; the next run takes it off the list.")
    theirs, ours = (told.aggregate(sum=Sum("amount"))["sum"] or 0 for told in (lines, items))
    return int(theirs - ours)


def last_day(found: Break) -> date:
    """The last day of the lines that it is about, else of our transactions."""
    last = StatementLine.objects.filter(found=found).aggregate(day=Max("booked_on"))["day"]
    return last or BooksItem.objects.filter(found=found).aggregate(day=Max("effective_on"))["day"] or found.first_on
