"""What a test, or a person with curl, tells the simulator to do: everything below `/_control/`."""

import re
from decimal import Decimal
from typing import Any, Literal, TypeVar
from uuid import uuid4

import msgspec

from wallets.simulator.amounts import from_major, major, not_negative, positive
from wallets.simulator.bank import Bank
from wallets.simulator.books import books
from wallets.simulator.clock import iso
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.faults import Commanded, Fault
from wallets.simulator.orders import DuplicateReference
from wallets.simulator.webhooks import Webhooks
from wallets.simulator.wire import Answer, Event, Request, encode

Shape = TypeVar("Shape", bound=msgspec.Struct)
Provider = Literal["paystack", "flutterwave", "fincra"]
MOVES = {"settle": "success", "fail": "failed", "reverse": "reversed"}


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of a command."""


class Advance(Command, frozen=True):
    """POST /clock."""

    advance: float


class Payment(Command, frozen=True):
    """POST /checkouts/{reference}/pay: what is paid, if it isn't what was asked for; major units."""

    amount: Decimal | None = None
    currency: str = ""


class Word(Command, frozen=True):
    """POST /transfers/{reference}/…: the status that is said, if it isn't the usual one."""

    word: str = ""
    detail: str = ""


class Funding(Command, frozen=True):
    """POST /accounts: money from outside, or out with a negative amount; major units."""

    provider: Provider
    currency: str
    amount: Decimal


class Collection(Command, frozen=True):
    """POST /deposits: money that came by itself; major units."""

    provider: Provider
    currency: str
    amount: Decimal
    reference: str = ""
    name: str = "Amina Bello"


class Webhook(Command, frozen=True):
    """POST /webhooks: any body, properly signed or not."""

    provider: Provider
    body: dict[str, Any]
    forged: bool = False
    times: int = 1


class Settings(Command, frozen=True):
    """POST /settings: `fees` are what a payout costs at a provider, in major units."""

    settle_seconds: float | None = None
    webhooks: str | None = None
    fees: dict[Provider, Decimal] = msgspec.field(default_factory=dict)
    returns_fees: bool | None = None


class Control:
    """The control API. Answers are JSON; a command that can't be carried out answers 4xx with `error`."""

    def __init__(self, bank: Bank, deposits: Deposits, webhooks: Webhooks) -> None:
        self._bank, self._deposits, self._webhooks = bank, deposits, webhooks
        self._routes = [
            (method, re.compile(pattern), handler)
            for method, pattern, handler in (
                ("POST", "/faults", self._command),
                ("GET", "/faults", self._commanded),
                ("DELETE", "/faults", self._heal),
                ("DELETE", r"/faults/(?P<number>\d+)", self._heal),
                ("GET", "/books", self._books),
                ("POST", "/clock", self._advance),
                ("POST", "/accounts", self._fund),
                ("POST", "/deposits", self._collect),
                ("POST", "/checkouts/(?P<reference>[^/]+)/(?P<action>pay|fail)", self._finish_checkout),
                ("POST", "/transfers/(?P<reference>[^/]+)/(?P<action>settle|fail|reverse)", self._move),
                ("POST", "/webhooks", self._webhook),
                ("POST", "/settings", self._settings),
            )
        ]

    def answer(self, request: Request) -> Answer:
        """Carry out a command."""
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                try:
                    return handler(request, **match.groupdict())
                except (msgspec.MsgspecError, ValueError, LookupError, DuplicateReference) as error:
                    return Answer(404 if isinstance(error, LookupError) else 400, {"error": str(error)})
        return Answer(404, {"error": f"There is no {request.method} /_control{request.path}."})

    def _command(self, request: Request) -> Answer:
        return Answer(201, _shown(self._bank.faults.command(_read(request, Fault))))

    def _commanded(self, request: Request) -> Answer:
        return Answer(200, [_shown(one) for one in self._bank.faults.commanded()])

    def _heal(self, request: Request, number: str | None = None) -> Answer:
        self._bank.faults.heal(None if number is None else int(number))
        return self._commanded(request)

    def _books(self, request: Request) -> Answer:
        return Answer(200, books(self._bank, request.query.get("reference", "")))

    def _advance(self, request: Request) -> Answer:
        with self._bank.store.transaction():
            now = self._bank.clock.advance(_read(request, Advance).advance)
            self._bank.store.remember("advanced", str(self._bank.clock.offset))
            self._bank.settle_due()
        self._webhooks.hurry()
        return Answer(200, {"now": iso(now)})

    def _fund(self, request: Request) -> Answer:
        command = _read(request, Funding)
        provider, currency, amount = command.provider, command.currency, from_major(command.amount)
        with self._bank.store.transaction():
            if self._bank.accounts.at(provider, currency).available + amount < 0:
                raise ValueError("There is less than that to take away.")
            self._bank.accounts.move(provider, currency, "initial", amount)
        return Answer(200, books(self._bank, "-")["balances"][command.provider])

    def _collect(self, request: Request) -> Answer:
        command = _read(request, Collection)
        made = self._deposits.collect(
            provider=command.provider, reference=command.reference or uuid4().hex, currency=command.currency,
            amount=positive(command.amount), name=command.name,
        )  # fmt: skip
        return Answer(201, {"reference": made.reference, "state": made.state})

    def _finish_checkout(self, request: Request, reference: str, action: str) -> Answer:
        command = _read(request, Payment)
        token = self._checkout(reference, request.query.get("provider", "")).token
        if action == "fail":
            done = self._deposits.fail(token)
        else:
            amount = None if command.amount is None else positive(command.amount)
            done = self._deposits.pay(token, amount=amount, currency=command.currency)
        return Answer(200, {"reference": done.reference, "state": done.state})

    def _checkout(self, reference: str, provider: str) -> Deposit:
        found = self._deposits.named(reference, provider)
        if found is None:
            raise LookupError(f"There is no checkout {reference}.")
        return found

    def _move(self, request: Request, reference: str, action: str) -> Answer:
        command, provider = _read(request, Word), request.query.get("provider", "")
        found = [one for one in self._bank.named(reference) if provider in ("", one.provider)]
        if not found:
            raise LookupError(f"There is no transfer {reference}.")
        if not self._bank.move(found[-1].id, MOVES[action], word=command.word, detail=command.detail):
            return Answer(409, {"error": f"The transfer is {found[-1].state}."})
        return Answer(200, books(self._bank, reference)["transfers"][-1])

    def _webhook(self, request: Request) -> Answer:
        command = _read(request, Webhook)
        event = Event(str(command.body.get("event", "")), encode(command.body))
        for _ in range(command.times):
            self._webhooks.send(command.provider, event, "", forged=command.forged)
        return Answer(202, {"times": command.times})

    def _settings(self, request: Request) -> Answer:
        command, bank = _read(request, Settings), self._bank
        if command.settle_seconds is not None:
            bank.settle_seconds = command.settle_seconds
        if command.webhooks is not None:
            self._webhooks.receiver = command.webhooks
        bank.fees |= {provider: not_negative(fee) for provider, fee in command.fees.items()}
        if command.returns_fees is not None:
            bank.returns_fees = command.returns_fees
        return Answer(200, {
            "settle_seconds": bank.settle_seconds, "webhooks": self._webhooks.receiver,
            "fees": {provider: f"{major(fee):f}" for provider, fee in bank.fees.items()},
            "returns_fees": bank.returns_fees,
        })  # fmt: skip


def _read(request: Request, shape: type[Shape]) -> Shape:
    return msgspec.json.decode(request.body or b"{}", type=shape)


def _shown(one: Commanded) -> dict[str, Any]:
    return {"id": one.id, "left": one.left, **msgspec.to_builtins(one.fault)}
