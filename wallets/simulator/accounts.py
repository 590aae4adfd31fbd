"""What the product holds at each provider, in each currency: two figures, and the entries that they come from."""

from dataclasses import dataclass
from typing import Literal

from wallets.simulator.clock import Clock
from wallets.simulator.store import Store

Kind = Literal["initial", "deposit", "payout", "fee", "reversal"]


@dataclass(frozen=True, slots=True)
class Account:
    """`ledger` is all of it, `locked` what pending payouts will take, fees included."""

    provider: str
    currency: str
    ledger: int
    locked: int
    updated: float

    @property
    def available(self) -> int:
        return self.ledger - self.locked


class Accounts:
    """Every change of a ledger balance is one entry: initial + deposits - payouts - fees + reversals = balance."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def of(self, provider: str) -> list[Account]:
        """The accounts at one provider."""
        rows = self._store.rows("SELECT * FROM accounts WHERE provider = :p ORDER BY currency", p=provider)
        return [Account(**dict(row)) for row in rows]

    def at(self, provider: str, currency: str) -> Account:
        """One account; one that was never used is empty."""
        found = self._store.row("SELECT * FROM accounts WHERE provider = :p AND currency = :c", p=provider, c=currency)
        return Account(provider, currency, 0, 0, self._clock.now()) if found is None else Account(**dict(found))

    def move(self, provider: str, currency: str, kind: Kind, amount: int, reference: str = "") -> None:
        """Change the ledger balance by an entry; inside a transaction."""
        now = self._clock.now()
        self._store.insert(
            "entries", provider=provider, currency=currency, kind=kind, amount=amount, reference=reference, at=now
        )
        self._add(provider, currency, ledger=amount)

    def lock(self, provider: str, currency: str, amount: int) -> None:
        """Set aside for a payout, or with a negative amount give back."""
        self._add(provider, currency, locked=amount)

    def _add(self, provider: str, currency: str, *, ledger: int = 0, locked: int = 0) -> None:
        now = self._clock.now()
        self._store.run(
            "INSERT OR IGNORE INTO accounts VALUES (:provider, :currency, 0, 0, :now)",
            provider=provider, currency=currency, now=now,
        )  # fmt: skip
        self._store.run(
            "UPDATE accounts SET ledger = ledger + :ledger, locked = locked + :locked, updated = :now"
            " WHERE provider = :provider AND currency = :currency",
            provider=provider, currency=currency, ledger=ledger, locked=locked, now=now,
        )  # fmt: skip
