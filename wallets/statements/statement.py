"""A wallet's statement: opening balance, every line with the balance after it, closing balance. It always adds up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice
from uuid import UUID

from ledger import history as entries
from ledger import statements as ledger
from users.callers import Caller
from users.permissions import require_scope
from users.validation import ValidationError
from wallets import currencies
from wallets.access import Need, enter
from wallets.history import Item, item
from wallets.models import Wallet


@dataclass(frozen=True, slots=True)
class Statement:
    """A wallet from the day `since` to the day `until`, both included, in UTC. Money is in minor units.

    opening + total_in − total_out = closing, and one statement's closing is the next one's opening.
    """

    wallet: Wallet
    since: date
    until: date
    entries: ledger.Statement

    @property
    def opening(self) -> int:
        return self.entries.opening

    @property
    def total_in(self) -> int:
        return self.entries.total_in

    @property
    def total_out(self) -> int:
        return self.entries.total_out

    @property
    def closing(self) -> int:
        return self.entries.closing

    @property
    def exponent(self) -> int:
        return currencies.exponent(self.wallet.currency)

    @property
    def owner(self) -> str:
        """Whose it is, as a reader knows them; empty for a wallet of nobody's."""
        owner = self.wallet.owner
        if owner is None:
            return ""
        return f"{owner.full_name} <{owner.email}>" if owner.full_name else owner.email

    @property
    def length(self) -> int:
        """How many lines there are."""
        return max(self.entries.high - self.entries.low, 0)

    def chunks(self) -> Iterator[list[Item]]:
        """The lines, oldest first, some at a time: memory holds no more than those."""
        lines = self.entries.lines()
        while chunk := list(islice(lines, ledger.CHUNK)):
            others = entries.counterparties(self.entries.account, [line.transaction for line in chunk])
            yield [item(line, others.get(line.transaction, [])) for line in chunk]

    def lines(self) -> Iterator[Item]:
        """The lines, oldest first."""
        for chunk in self.chunks():
            yield from chunk


def statement(*, caller: Caller, wallet_id: UUID, since: date, until: date) -> Statement:
    """The statement of a wallet. Raises NotFound, PermissionDenied, and ValidationError where the period ends first."""
    require_scope(caller, "wallets:read")
    if since > until:
        raise ValidationError.on("from", "invalid", f"The period would end before it starts; use {until} or earlier.")
    found = enter(caller, wallet_id, Need.VIEW)
    return statement_of(Wallet.objects.select_related("owner").get(pk=found.id), since, until)


def statement_of(wallet: Wallet, since: date, until: date) -> Statement:
    """The statement of a wallet that somebody may see, with its owner."""
    first, last = datetime.combine(since, time.min, UTC), datetime.combine(until, time.max, UTC)
    return Statement(wallet, since, until, ledger.statement(wallet.account_id, since=first, until=last))
