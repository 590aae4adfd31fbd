"""What happened in a wallet, in the product's words: read from the ledger's entries, told from the wallet's side."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ledger import history
from ledger.history import Filter, Line
from users.callers import Caller
from users.permissions import require_scope
from wallets.access import Need, enter
from wallets.chart import wallet_of
from wallets.providers import references

CREDIT, DEBIT = "credit", "debit"


@dataclass(frozen=True, slots=True)
class Item:
    """One transaction of a wallet. `sequence` counts from 1 without gaps; amounts are positive minor units."""

    id: UUID
    sequence: int
    type: str
    direction: str
    amount: int
    balance_after: int
    counterparty: UUID | None
    description: str
    reference: str
    related: tuple[str, str] | None
    metadata: Mapping[str, Any]
    created_at: datetime
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Book:
    """A wallet's transactions that a filter leaves, by sequence: those above `low`, up to `high`."""

    account: UUID
    which: Filter
    low: int
    high: int

    def page(self, *, limit: int, offset: int = 0) -> list[Item]:
        """The newest ones, after passing over `offset` of them."""
        return self._items(history.page(
            self.account, self.which, limit=limit, low=self.low, high=self.high, offset=offset
        ))  # fmt: skip

    def older(self, sequence: int, *, limit: int) -> list[Item]:
        """Those before a sequence, newest first."""
        high = min(self.high, sequence - 1)
        return self._items(history.page(self.account, self.which, limit=limit, low=self.low, high=high))

    def newer(self, sequence: int, *, limit: int) -> list[Item]:
        """Those right after a sequence, newest first."""
        low = max(self.low, sequence)
        lines = history.page(self.account, self.which, limit=limit, low=low, high=self.high, oldest_first=True)
        return self._items(lines[::-1])

    def count(self) -> int:
        """How many there are."""
        return history.count(self.account, self.which, low=self.low, high=self.high)

    def _items(self, lines: list[Line]) -> list[Item]:
        others = history.counterparties(self.account, [line.transaction for line in lines])
        return [item(line, others.get(line.transaction, [])) for line in lines]


def book(
    *, caller: Caller, wallet_id: UUID, type_: str | None, direction: str | None,
    since: datetime | None, until: datetime | None,
) -> Book:  # fmt: skip
    """A wallet's history between two moments, both included. Raises NotFound and PermissionDenied."""
    require_scope(caller, "wallets:read")
    wallet = enter(caller, wallet_id, Need.VIEW)
    debits = None if direction is None else direction == DEBIT
    which = Filter(since, until, (type_,) if type_ else (), debits)
    low, high = history.bounds(wallet.account, since, until)
    return Book(wallet.account, which, low, high)


def item(line: Line, others: list[str]) -> Item:
    """An entry of a wallet's account, told from the wallet's side: a credit is what came in."""
    return Item(
        id=line.transaction,
        sequence=line.version,
        type=line.kind,
        direction=DEBIT if line.amount > 0 else CREDIT,
        amount=abs(line.amount),
        balance_after=-line.balance,
        counterparty=next(filter(None, map(wallet_of, others)), None),
        description=line.description,
        reference=line.external_reference,
        related=_related(line.reference, line.external_reference),
        metadata=line.metadata,
        created_at=line.posted_at,
        effective_at=line.effective_at,
    )


def _related(reference: str, external: str) -> tuple[str, str] | None:
    """What the transaction is about: our references are `kind:id`, with the step behind where there are several.

    A deposit that a provider took is named by the provider and its payment; the top-up is in our own reference then.
    """
    kind, *rest = reference.split(":", 2)
    if kind == "deposit" and len(rest) > 1:
        top_up = references.top_up_of(external)
        return ("top_up", str(top_up)) if top_up else None
    return (kind, rest[0]) if rest and rest[0] else None
