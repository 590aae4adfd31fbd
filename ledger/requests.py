"""What can be asked of the books: postings, with the holds they place and close. Plain data, checked for its shape.

As structs, since thousands are made at a time: a frozen dataclass takes ten times as long to make.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from msgspec import Struct, field
from uuid_utils.compat import uuid7

from ledger.money import MAX_POSTING

HELD, PENDING = "held", "pending"


class MalformedPosting(Exception):
    """A request that no state of the books could satisfy: a mistake of the caller's code, not of its user."""

    code: ClassVar[str] = "malformed_posting"
    title: ClassVar[str] = "Malformed posting"


class Leg(NamedTuple):
    """One account's part: a signed amount in minor units, a debit positive. `lanes` is how many the account has."""

    account: UUID
    amount: int
    lanes: int = 1


class Place(Struct, frozen=True):
    """Set `amount` minor units of an account aside, as `held` or `pending`, until closed or until `expires_at`."""

    account: UUID
    amount: int
    reference: str
    kind: str = HELD
    expires_at: datetime | None = None
    id: UUID = field(default_factory=uuid7)


class Close(NamedTuple):
    """Close a hold: `captured` minor units of it are spent by the posting that says so, the rest is given back."""

    account: UUID
    hold: UUID
    captured: int = 0


class Posting(Struct, frozen=True):
    """One business event: legs that sum to zero in each currency, and the holds closed before and placed after them.

    `reference` names it for ever. Without legs it only closes or places holds and leaves no transaction. It takes
    effect when it is posted, unless `effective_at` dates it back.
    """

    kind: str
    reference: str
    legs: tuple[Leg, ...] = ()
    places: tuple[Place, ...] = ()
    closes: tuple[Close, ...] = ()
    description: str = ""
    external_reference: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    effective_at: datetime | None = None
    reverses: UUID | None = None
    id: UUID = field(default_factory=uuid7)

    def accounts(self) -> set[UUID]:
        """Every account that it touches."""
        return {part.account for parts in (self.legs, self.places, self.closes) for part in parts}


def check_shape(posting: Posting, now: datetime) -> None:
    """Raise MalformedPosting unless the request could be posted now on some state of the books."""
    legs = posting.legs
    if not (legs or posting.places or posting.closes):
        raise MalformedPosting(f"{posting.reference} asks for nothing.")
    if legs:
        amounts = [leg.amount for leg in legs]
        if len(legs) < 2 or sum(amounts) != 0:
            raise MalformedPosting(f"{posting.reference}: a transaction has two or more legs that sum to zero.")
        if 0 in amounts:
            raise MalformedPosting(f"{posting.reference}: an entry of 0 says nothing; leave it out.")
    if posting.effective_at is not None and posting.effective_at > now:
        raise MalformedPosting(f"{posting.reference} is effective at {posting.effective_at}; post it then.")
    for place in posting.places:
        if not 0 < place.amount <= MAX_POSTING:
            raise MalformedPosting(f"{place.reference}: a hold is of 1 to {MAX_POSTING}, not {place.amount}.")
        if place.kind == PENDING and place.expires_at is None:
            raise MalformedPosting(f"{place.reference}: what is pending must say until when, in `expires_at`.")


def debits(posting: Posting) -> int:
    """The sum of its debits, in minor units."""
    return sum([leg.amount for leg in posting.legs if leg.amount > 0])
