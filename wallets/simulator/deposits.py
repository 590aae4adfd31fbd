"""Money that comes in: by a checkout that somebody pays or not, or by a transfer that nobody announced."""

import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from wallets.simulator.amounts import CENT, MILLION, from_major
from wallets.simulator.bank import Bank
from wallets.simulator.faults import Call, Kind
from wallets.simulator.orders import DuplicateReference, other_currency

# Of a thousand.
RATES = {"paystack": 15, "flutterwave": 14, "fincra": 15}
# Whose fee the payer pays on top; elsewhere it is kept of what was paid.
ON_TOP = frozenset({"flutterwave"})


@dataclass(frozen=True, slots=True)
class Deposit:
    """A checkout, or a "collection": a transfer that came by itself. The state is open, success or failed."""

    id: int
    token: str
    provider: str
    reference: str
    kind: str
    state: str
    currency: str
    asked: int
    paid: int
    paid_currency: str
    fee: int
    email: str
    name: str
    return_url: str
    metadata: str
    created: float
    updated: float

    @property
    def charged(self) -> int:
        """What the payer was charged."""
        return self.paid + self.fee if self.provider in ON_TOP else self.paid

    @property
    def settled(self) -> int:
        """What the balance rose by."""
        return self.charged - self.fee

    @property
    def details(self) -> Any:
        """The metadata that came with the checkout."""
        return msgspec.json.decode(self.metadata)


class Deposits:
    """The checkouts and collections of a bank."""

    def __init__(self, bank: Bank) -> None:
        self._bank, self._store = bank, bank.store
        # Told of every deposit that was opened or has moved, in the same transaction.
        self.listeners: list[Callable[[Deposit], None]] = []

    def open(
        self, *, provider: str, reference: str, currency: str, amount: int, email: str, name: str, return_url: str,
        metadata: Mapping[str, Any],
    ) -> Deposit:  # fmt: skip
        """A checkout to be paid. Raises DuplicateReference."""
        return self._add(
            provider=provider, reference=reference, kind="checkout", currency=currency, asked=amount, email=email,
            name=name, return_url=return_url, metadata=metadata,
        )  # fmt: skip

    def collect(self, *, provider: str, reference: str, currency: str, amount: int, name: str) -> Deposit:
        """Money that came by itself. Raises DuplicateReference."""
        with self._store.transaction():
            made = self._add(
                provider=provider, reference=reference, kind="collection", currency=currency, asked=amount,
                email="", name=name, return_url="", metadata={},
            )  # fmt: skip
            return self.pay(made.token)

    def pay(self, token: str, *, amount: int | None = None, currency: str = "") -> Deposit:
        """Let the payer pay what was asked for, or something else; a checkout that isn't open stays as it is.

        Raises LookupError for an unknown token.
        """
        with self._store.transaction():
            deposit = self._required(token)
            if deposit.state != "open":
                return deposit
            paid = self._paid(deposit) if amount is None else amount
            currency = currency or self._paid_currency(deposit)
            fee = paid * RATES[deposit.provider] // 1000 // CENT * CENT
            self._write(token, "success", paid=paid, paid_currency=currency, fee=fee)
            moved = self._required(token)
            self._bank.accounts.move(moved.provider, currency, "deposit", moved.charged, moved.reference)
            self._bank.accounts.move(moved.provider, currency, "fee", -fee, moved.reference)
            return self._tell(moved)

    def fail(self, token: str) -> Deposit:
        """Let the payment fail; a checkout that isn't open stays as it is."""
        with self._store.transaction():
            deposit = self._required(token)
            if deposit.state != "open":
                return deposit
            self._write(token, "failed", paid=0, paid_currency=deposit.currency, fee=0)
            return self._tell(self._required(token))

    def find(self, provider: str, reference: str) -> Deposit | None:
        """By the customer's reference, as the provider shows it: none while a fault hides it."""
        return self._visible(self._one("provider = :p AND reference = :r", p=provider, r=reference))

    def get(self, provider: str, number: int) -> Deposit | None:
        """By the provider's own number."""
        return self._visible(self._one("provider = :p AND id = :n", p=provider, n=number))

    def by_token(self, token: str) -> Deposit | None:
        """By what its link ends with."""
        return self._one("token = :token", token=token)

    def named(self, reference: str, provider: str = "") -> Deposit | None:
        """By the customer's reference at any provider, hidden or not."""
        return self._one("reference = :r AND :p IN ('', provider)", r=reference, p=provider)

    def _add(self, *, metadata: Mapping[str, Any], **values: Any) -> Deposit:
        now, token = self._bank.clock.now(), secrets.token_hex(8)
        try:
            with self._store.transaction():
                self._store.insert(
                    "deposits", **values, token=token, state="open", paid=0, paid_currency=values["currency"], fee=0,
                    metadata=msgspec.json.encode(metadata).decode(), created=now, updated=now,
                )  # fmt: skip
                return self._tell(self._required(token))
        except sqlite3.IntegrityError as error:
            raise DuplicateReference(values["reference"]) from error

    def _write(self, token: str, state: str, *, paid: int, paid_currency: str, fee: int) -> None:
        self._store.run(
            "UPDATE deposits SET state = :state, paid = :paid, paid_currency = :currency, fee = :fee, updated = :now"
            " WHERE token = :token",
            state=state, paid=paid, currency=paid_currency, fee=fee, now=self._bank.clock.now(), token=token,
        )  # fmt: skip

    def _paid(self, deposit: Deposit) -> int:
        fault = self._bank.faults.take({Kind.WRONG_AMOUNT}, _call(deposit))
        if fault is None:
            return deposit.asked
        return max(deposit.asked - MILLION, CENT) if fault.amount is None else from_major(fault.amount)

    def _paid_currency(self, deposit: Deposit) -> str:
        fault = self._bank.faults.take({Kind.WRONG_CURRENCY}, _call(deposit))
        return deposit.currency if fault is None else fault.currency or other_currency(deposit.currency)

    def _visible(self, deposit: Deposit | None) -> Deposit | None:
        if deposit is None:
            return None
        call = Call(deposit.provider, "query_deposit", deposit.reference, age=self._bank.clock.now() - deposit.created)
        return None if self._bank.faults.take({Kind.HIDDEN}, call) else deposit

    def _required(self, token: str) -> Deposit:
        found = self.by_token(token)
        if found is None:
            raise LookupError(f"There is no checkout {token}.")
        return found

    def _tell(self, deposit: Deposit) -> Deposit:
        for listener in self.listeners:
            listener(deposit)
        return deposit

    def _one(self, where: str, **values: Any) -> Deposit | None:
        found = self._store.row(f"SELECT * FROM deposits WHERE {where}", **values)
        return None if found is None else Deposit(**dict(found))


def _call(deposit: Deposit) -> Call:
    return Call(deposit.provider, "checkout", deposit.reference)
