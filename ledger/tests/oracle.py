"""The books in plain Python: what a reader of the design would write in an afternoon, to hold the real ones against."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from ledger.requests import HELD, PENDING, Close, Leg, Place, Posting


@dataclass
class OracleHold:
    account: UUID
    amount: int
    kind: str
    expires_at: datetime | None

    def binds(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now


@dataclass
class Oracle:
    """Balances and open holds in dictionaries; one rule: what is available may not fall below the floor of 0."""

    floors: dict[UUID, int | None]
    balances: dict[UUID, int] = field(default_factory=dict)
    versions: dict[UUID, int] = field(default_factory=dict)
    holds: dict[UUID, OracleHold] = field(default_factory=dict)

    def reserved(self, account: UUID, kind: str, now: datetime) -> int:
        return sum(
            hold.amount
            for hold in self.holds.values()
            if hold.account == account and hold.kind == kind and hold.binds(now)
        )

    def standing(self, account: UUID, now: datetime) -> tuple[int, int, int, int]:
        """Balance on the credit side, held, pending, version."""
        held, pending = (self.reserved(account, kind, now) for kind in (HELD, PENDING))
        return -self.balances.get(account, 0), held, pending, self.versions.get(account, 0)

    def state(self) -> tuple[dict, ...]:
        """All that a posting changes."""
        return dict(self.balances), dict(self.versions), dict(self.holds)

    def back_to(self, state: tuple[dict, ...]) -> None:
        """Undo what was done since."""
        self.balances, self.versions, self.holds = state

    def run(self, posting: Posting, now: datetime) -> str | None:
        """Do it and answer None, or leave everything as it was and answer the refusal's code."""
        balances, holds = dict(self.balances), dict(self.holds)
        for close in posting.closes:
            hold = holds.pop(close.hold, None)
            if hold is None or not hold.binds(now) or hold.account != close.account or close.captured > hold.amount:
                return "hold_closed"
        for leg in posting.legs:
            balances[leg.account] = balances.get(leg.account, 0) + leg.amount
        for place in posting.places:
            holds[place.id] = OracleHold(place.account, place.amount, place.kind, place.expires_at)
        for account in posting.accounts():
            bound = sum(hold.amount for hold in holds.values() if hold.account == account and hold.binds(now))
            floor = self.floors[account]
            if floor is not None and -balances.get(account, 0) - bound < floor:
                return "insufficient_funds"
        self.balances, self.holds = balances, holds
        for leg in posting.legs:
            self.versions[leg.account] = self.versions.get(leg.account, 0) + 1
        return None


class Chance:
    """Random operations over a few accounts: deposits, transfers, holds, captures, releases, expiries, reversals."""

    def __init__(self, seed: int, wallets: list[UUID], cash: Leg, oracle: Oracle) -> None:
        self.random, self.wallets, self.cash, self.oracle = random.Random(seed), wallets, cash, oracle
        self.serial, self.seed = 0, seed

    def posting(self, now: datetime) -> Posting:
        self.serial += 1
        name = f"chance:{self.seed}:{self.serial}"
        act = self.random.choices(
            [self._deposit, self._transfer, self._split, self._hold, self._close], [3, 6, 1, 3, 4]
        )[0]
        return act(name, now)

    def _amount(self) -> int:
        return self.random.choice([1, 7, 50, 100, 999, 1_000])

    def _deposit(self, name: str, now: datetime) -> Posting:
        account, amount = self.random.choice(self.wallets), self._amount()
        legs = (self.cash._replace(amount=amount), Leg(account, -amount))
        places = ()
        if self.random.random() < 0.4:
            until = now + timedelta(seconds=self.random.randint(1, 30))
            places = (Place(account, self.random.randint(1, amount), name, PENDING, until),)
        return Posting("deposit", name, legs, places)

    def _transfer(self, name: str, now: datetime) -> Posting:
        source, destination = self.random.sample(self.wallets, 2)
        amount = self._amount()
        return Posting("transfer", name, (Leg(source, amount), Leg(destination, -amount)))

    def _split(self, name: str, now: datetime) -> Posting:
        first, second, third = self.random.sample(self.wallets, 3)
        amount = self._amount()
        return Posting("transfer", name, (Leg(first, 2 * amount), Leg(second, -amount), Leg(third, -amount)))

    def _hold(self, name: str, now: datetime) -> Posting:
        until = now + timedelta(seconds=self.random.randint(1, 20)) if self.random.random() < 0.5 else None
        return Posting(
            "hold", name, places=(Place(self.random.choice(self.wallets), self._amount(), name, HELD, until),)
        )

    def _close(self, name: str, now: datetime) -> Posting:
        if not self.oracle.holds:
            return self._hold(name, now)
        id, hold = self.random.choice(list(self.oracle.holds.items()))
        account = hold.account if self.random.random() < 0.95 else self.random.choice(self.wallets)
        captured = self.random.choice([0, hold.amount, self.random.randint(0, hold.amount + 1)])
        legs = (Leg(account, captured), self.cash._replace(amount=-captured)) if captured else ()
        return Posting("withdrawal", name, legs, closes=(Close(account, id, captured),))
