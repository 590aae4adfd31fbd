"""The engine behind the three faces: it takes orders, pays them in its time, and keeps its own books of it.

A reference is taken once for each provider. A transfer is pending, otp or approval while it is open, then success or
failed; a success can still be reversed. Money is locked while a transfer is open and leaves when it succeeds.
"""

from collections.abc import Callable
from dataclasses import replace

from wallets.simulator.accounts import Accounts
from wallets.simulator.amounts import MILLION, from_major
from wallets.simulator.clock import Clock
from wallets.simulator.directory import Recipients
from wallets.simulator.faults import OUTCOMES, REFUSALS, Call, Fault, Faults, Kind
from wallets.simulator.orders import (
    FEES,
    DuplicateReference,
    InsufficientBalance,
    Order,
    Refused,
    Step,
    Transfer,
    course,
    may_become,
    other_currency,
)
from wallets.simulator.store import Store

Listener = Callable[[Transfer], None]


class Bank:
    """All of it is safe to call from many threads. `fees` is what a payout costs, in millionths, and `returns_fees`
    whether a payout that comes back brings its fee.
    """

    def __init__(self, store: Store, faults: Faults, clock: Clock, *, settle_seconds: float) -> None:
        self.store, self.faults, self.clock, self.settle_seconds = store, faults, clock, settle_seconds
        self.fees, self.returns_fees = dict(FEES), True
        self.accounts, self.recipients = Accounts(store, clock), Recipients(store, clock)
        # Told of every transfer that was taken or has moved, in the same transaction.
        self.listeners: list[Listener] = []

    def send(self, order: Order) -> Transfer:
        """Take an order. Raises DuplicateReference, Refused and InsufficientBalance, and then nothing was taken."""
        call = Call(order.provider, "send", order.reference, order.account_number)
        with self.store.transaction():
            copies = self._copies(order)
            problem = self._problem(order, call, copies)
            if problem is None:
                return self._take(order, call, copies + 1)
        raise problem

    def find(self, provider: str, reference: str) -> list[Transfer]:
        """The transfers by a reference, as the provider shows them: none while a fault hides them."""
        found = self._transfers(
            "provider = :provider AND reference = :reference", provider=provider, reference=reference
        )
        return [] if found and self._is_hidden(found[0]) else [self._as_told(one) for one in found]

    def get(self, provider: str, number: int) -> Transfer | None:
        """By the provider's own number."""
        found = self._transfers("provider = :provider AND id = :number", provider=provider, number=number)
        return None if not found or self._is_hidden(found[0]) else self._as_told(found[0])

    def latest(self, provider: str, limit: int = 100) -> list[Transfer]:
        """What was taken, the newest first."""
        return self._transfers("provider = :provider ORDER BY id DESC LIMIT :limit", provider=provider, limit=limit)

    def beginning_with(self, provider: str, reference: str, limit: int = 20) -> list[Transfer]:
        """Transfers whose references only begin like this one."""
        return self._transfers(
            "provider = :provider AND reference > :low AND reference < :high ORDER BY reference LIMIT :limit",
            provider=provider, low=reference, high=reference + "\U0010ffff", limit=limit,
        )  # fmt: skip

    def named(self, reference: str) -> list[Transfer]:
        """The transfers by a reference at any provider, hidden or not."""
        return self._transfers("reference = :reference ORDER BY id", reference=reference)

    def move(self, number: int, state: str, *, word: str = "", detail: str = "") -> bool:
        """Let something become of a transfer; False where that can't be any more."""
        with self.store.transaction():
            transfer = self._transfers("id = :number", number=number)[0]
            if not may_become(transfer.state, state):
                return False
            self._add_step(number, self.clock.now(), Step(0, state, word, detail), applied=True)
            self._apply(transfer, Step(0, state, word, detail))
        return True

    def settle_due(self) -> None:
        """Do what is due by now."""
        with self.store.transaction():
            for row in self.store.rows(
                "SELECT * FROM steps WHERE applied IS NULL AND due <= :now ORDER BY due, id", now=self.clock.now()
            ):
                transfer = self._transfers("id = :number", number=row["transfer"])[0]
                if not may_become(transfer.state, row["state"]):
                    self.store.run("DELETE FROM steps WHERE id = :id", id=row["id"])
                    continue
                self.store.run("UPDATE steps SET applied = :now WHERE id = :id", now=self.clock.now(), id=row["id"])
                self._apply(transfer, Step(0, row["state"], row["word"], row["detail"]))

    def next_due(self) -> float | None:
        """When there is something to do again."""
        found = self.store.row("SELECT min(due) AS due FROM steps WHERE applied IS NULL")
        return None if found is None else found["due"]

    def _copies(self, order: Order) -> int:
        found = self.store.row(
            "SELECT count(*) AS copies FROM transfers WHERE provider = :p AND reference = :r",
            p=order.provider, r=order.reference,
        )  # fmt: skip
        return 0 if found is None else int(found["copies"])

    def _problem(self, order: Order, call: Call, copies: int) -> Exception | None:
        if copies and self.faults.take({Kind.PAYS_TWICE}, call) is None:
            return DuplicateReference(order.reference)
        fault = self.faults.take(REFUSALS, call)
        if fault is not None and fault.kind is Kind.REFUSED:
            return Refused("The beneficiary's account can't receive payments.")
        if fault is not None and fault.kind is Kind.SAYS_DUPLICATE:
            return DuplicateReference(order.reference)
        available = self.accounts.at(order.provider, order.currency).available
        if fault is not None or available < order.amount + self.fees[order.provider]:
            return InsufficientBalance(order.reference)
        return None

    def _take(self, order: Order, call: Call, copy: int) -> Transfer:
        now, fee = self.clock.now(), self.fees[order.provider]
        fault = self.faults.take(OUTCOMES, call) or (Fault(kind=Kind.FAILED) if order.will_fail else None)
        first, *later = course(fault, order.provider, self.settle_seconds)
        self.accounts.lock(order.provider, order.currency, order.amount + fee)
        number = self.store.insert(
            "transfers", provider=order.provider, reference=order.reference, copy=copy, currency=order.currency,
            amount=order.amount, fee=fee, state="pending", word="", detail="", bank_code=order.bank_code,
            said_amount=self._said_amount(order, call), said_currency=self._said_currency(order, call), said_fee=fee,
            account_number=order.account_number, account_name=order.account_name, narration=order.narration,
            recipient=order.recipient, created=now, updated=now,
        )  # fmt: skip
        self._add_step(number, now, first, applied=True)
        for step in later:
            self._add_step(number, now + step.after, step)
        return self._apply(self._transfers("id = :number", number=number)[0], first)

    def _apply(self, transfer: Transfer, step: Step) -> Transfer:
        """Move the money that the step moves, write the transfer, and tell of it."""
        provider, currency, total = transfer.provider, transfer.currency, transfer.amount + transfer.fee
        paid = transfer.paid
        if step.state == "success":
            paid = self.clock.now()
            self.accounts.lock(provider, currency, -total)
            self.accounts.move(provider, currency, "payout", -transfer.amount, transfer.reference)
            self.accounts.move(provider, currency, "fee", -transfer.fee, transfer.reference)
        elif step.state == "failed":
            self.accounts.lock(provider, currency, -total)
        elif step.state == "reversed":
            returned = total if self.returns_fees else transfer.amount
            self.accounts.move(provider, currency, "reversal", returned, transfer.reference)
        self.store.run(
            "UPDATE transfers SET state = :state, word = :word, detail = :detail, updated = :now, paid = :paid"
            " WHERE id = :id",
            state=step.state, word=step.word, detail=step.detail, now=self.clock.now(), paid=paid, id=transfer.id,
        )  # fmt: skip
        moved = self._transfers("id = :number", number=transfer.id)[0]
        for listener in self.listeners:
            listener(moved)
        return moved

    def _add_step(self, number: int, due: float, step: Step, *, applied: bool = False) -> None:
        self.store.insert(
            "steps", transfer=number, due=due, state=step.state, word=step.word, detail=step.detail,
            applied=due if applied else None,
        )  # fmt: skip

    def _said_amount(self, order: Order, call: Call) -> int:
        fault = self.faults.take({Kind.WRONG_AMOUNT}, call)
        if fault is None:
            return order.amount
        return order.amount + MILLION if fault.amount is None else from_major(fault.amount)

    def _said_currency(self, order: Order, call: Call) -> str:
        fault = self.faults.take({Kind.WRONG_CURRENCY}, call)
        return order.currency if fault is None else fault.currency or other_currency(order.currency)

    def _is_hidden(self, transfer: Transfer) -> bool:
        return self.faults.take({Kind.HIDDEN}, self._question(transfer)) is not None

    def _as_told(self, transfer: Transfer) -> Transfer:
        """As the provider shows it: without its fee while a fault keeps that back."""
        untold = self.faults.take({Kind.FEE_UNTOLD}, self._question(transfer)) is not None
        return replace(transfer, said_fee=None) if untold else transfer

    def _question(self, transfer: Transfer) -> Call:
        age = self.clock.now() - transfer.created
        return Call(transfer.provider, "query", transfer.reference, transfer.account_number, age)

    def _transfers(self, where: str, **values: object) -> list[Transfer]:
        return [Transfer(**dict(row)) for row in self.store.rows(f"SELECT * FROM transfers WHERE {where}", **values)]
