"""Three days of books, and how they are closed: what the tests of closed days share."""

from datetime import timedelta

from msgspec.structs import replace

from ledger import closing
from ledger.closing import DAY
from ledger.posting import post_one
from ledger.seals.sealing import Head, seal_closed
from ledger.tests.conftest import NOW, Books, transfer

FIRST, SECOND, THIRD = (NOW.date() + DAY * number for number in range(3))


def close(through=SECOND, **more) -> list[Head]:
    """Close and seal, a week after the first day."""
    closing.close(through, by="test", grace=timedelta(), now=NOW + 7 * DAY)
    return seal_closed(by="test", clock=lambda: NOW + 7 * DAY, **more)


def post_three_days(books: Books) -> None:
    """Alice is funded on the first day, and pays Bob on each; on the third one a fee is dated back to the second."""
    books.fund(books.alice, 1_000)
    for number in range(3):
        paid = transfer(books.alice, books.bob, 100 + number, f"t:{number}")
        told = replace(paid, description="Rent:\n\t\\half of ₦ it", metadata={"b": 1.50, "a": ["\n", None]})
        post_one(told, now=NOW + DAY * number)
    fee = replace(transfer(books.alice, books.fees, 7, "fee"), effective_at=NOW + DAY)
    post_one(fee, now=NOW + 2 * DAY)
