"""What a face of the simulator is: routes, a key that is asked for, and a provider's own way of saying no."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

import msgspec

from wallets.simulator import amounts
from wallets.simulator.bank import Bank
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.faults import Call, Operation
from wallets.simulator.orders import Transfer

Body = TypeVar("Body", bound=msgspec.Struct)
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it arrived; header names are in lower case, and `origin` is how the caller reaches the simulator."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    origin: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: `body` as JSON, or bytes as they are."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The bytes on the wire."""
        return self.body if isinstance(self.body, bytes) else encode(self.body)


class Refusal(Exception):
    """The call isn't carried out; the answer says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Task:
    """A call that was understood, and what it does: between the two a fault may happen."""

    call: Call
    perform: Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Event:
    """What a webhook says."""

    name: str
    body: bytes


Handler = Callable[..., Task]


def encode(body: Any) -> bytes:
    """JSON as it is sent, and signed: compact, UTF-8, decimals as exact numbers."""
    return _encoder.encode(body)


class Face(ABC):
    """One provider's API over the bank."""

    slug: ClassVar[str]

    def __init__(self, bank: Bank, deposits: Deposits) -> None:
        self.bank, self.deposits = bank, deposits
        self._routes = [(method, re.compile(pattern), handler) for method, pattern, handler in self.routes()]

    def open(self, request: Request) -> Task:
        """Understand a call. Raises Refusal."""
        self.authorize(request)
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return handler(request, **match.groupdict())
        raise Refusal(self.no_such_route(request))

    def task(self, operation: Operation, perform: Callable[[], Answer], reference: str = "", account: str = "") -> Task:
        """What a route's handler gives back."""
        return Task(Call(self.slug, operation, reference, account), perform)

    def read(self, request: Request, shape: type[Body]) -> Body:
        """The body. Raises Refusal for one that isn't JSON, lacks something or has something unknown."""
        try:
            return msgspec.json.decode(request.body, type=shape)
        except msgspec.MsgspecError as error:
            raise Refusal(self.invalid(str(error))) from error

    def positive(self, value: Decimal) -> int:
        """A sum to be moved. Raises Refusal for one that is malformed or isn't above zero."""
        try:
            return amounts.positive(value)
        except ValueError as error:
            raise Refusal(self.invalid(str(error))) from error

    @abstractmethod
    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, pattern of the path below the base URL, handler."""

    @abstractmethod
    def authorize(self, request: Request) -> None:
        """Raise Refusal without the right key."""

    @abstractmethod
    def invalid(self, message: str) -> Answer:
        """A body or parameter that can't be taken."""

    @abstractmethod
    def no_such_route(self, request: Request) -> Answer:
        """A path that there isn't."""

    @abstractmethod
    def trouble(self, status: int) -> Answer:
        """The provider's body for a 5xx of its own, and for a 429."""

    @abstractmethod
    def transfer_event(self, transfer: Transfer) -> Event | None:
        """What a transfer's state is told with, or None where it isn't told."""

    @abstractmethod
    def deposit_event(self, deposit: Deposit) -> Event | None:
        """What a deposit's state is told with, or None where it isn't told."""

    @abstractmethod
    def signature(self, body: bytes, *, forged: bool = False) -> dict[str, str]:
        """The headers that a webhook is signed with, or with `forged` those of somebody who doesn't know the secret."""

    @abstractmethod
    def return_query(self, deposit: Deposit) -> dict[str, str]:
        """What the checkout adds to the address that it sends the payer back to."""
