"""What goes wrong, on command: which calls a fault is for, and how often."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from wallets.simulator.amounts import positive
from wallets.simulator.store import Store


class Kind(StrEnum):
    """Everything that can go wrong."""

    # The answer: `when` says whether the call was carried out before its answer was lost or spoilt.
    TIMEOUT = "timeout"
    RESET = "reset"
    ERROR = "error"
    HTML = "html"
    TRUNCATED = "truncated"
    RATE_LIMIT = "rate_limit"
    SLOW = "slow"
    # An order that is refused.
    INSUFFICIENT = "insufficient"
    REFUSED = "refused"
    SAYS_DUPLICATE = "says_duplicate"
    # An order that is taken although its reference was seen before.
    PAYS_TWICE = "pays_twice"
    # What becomes of an order that was taken.
    FAILED = "failed"
    FAILED_AT_ONCE = "failed_at_once"
    REVERSED = "reversed"
    STUCK = "stuck"
    OTP = "otp"
    APPROVAL = "approval"
    UNDOCUMENTED = "undocumented"
    # What is said of it.
    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    FEE_UNTOLD = "fee_untold"
    HIDDEN = "hidden"
    # Webhooks.
    WEBHOOK_MISSING = "webhook_missing"
    WEBHOOK_DUPLICATE = "webhook_duplicate"
    WEBHOOK_REORDERED = "webhook_reordered"
    WEBHOOK_FORGED = "webhook_forged"
    WEBHOOK_LATE = "webhook_late"


TRANSPORT = frozenset({Kind.TIMEOUT, Kind.RESET, Kind.ERROR, Kind.HTML, Kind.TRUNCATED, Kind.RATE_LIMIT, Kind.SLOW})
REFUSALS = frozenset({Kind.INSUFFICIENT, Kind.REFUSED, Kind.SAYS_DUPLICATE})
OUTCOMES = frozenset(
    {Kind.FAILED, Kind.FAILED_AT_ONCE, Kind.REVERSED, Kind.STUCK, Kind.OTP, Kind.APPROVAL, Kind.UNDOCUMENTED}
)
# They are over when what they hide is so old.
HIDING = frozenset({Kind.HIDDEN, Kind.FEE_UNTOLD})
WEBHOOKS = frozenset(
    {Kind.WEBHOOK_MISSING, Kind.WEBHOOK_DUPLICATE, Kind.WEBHOOK_REORDERED, Kind.WEBHOOK_FORGED, Kind.WEBHOOK_LATE}
)

Operation = Literal[
    "", "any", "send", "query", "balance", "checkout", "query_deposit", "recipient", "resolve", "banks", "other"
]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One thing that goes wrong, for the calls that fit all of what is given; `times` None is until it is healed.

    `seconds` is how long (an answer is kept back, a transfer or its fee is hidden, before it is reversed, a webhook is
    late), `status` the HTTP status of an error, `word` the status that is said, `amount` (major units) and `currency`
    what is said or paid instead. The operation is "send" for a fault of the answer unless it is given.
    """

    kind: Kind
    provider: Literal["", "paystack", "flutterwave", "fincra"] = ""
    reference: str = ""
    account: str = ""
    operation: Operation = ""
    when: Literal["before", "after"] = "after"
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    word: str = ""
    amount: Decimal | None = None
    currency: str = ""

    def __post_init__(self) -> None:
        if self.amount is not None:
            positive(self.amount)

    def fits(self, call: "Call") -> bool:
        """Whether it is for this call."""
        operation = self.operation or ("send" if self.kind in TRANSPORT else "any")
        return (
            self.provider in ("", call.provider)
            and call.reference.startswith(self.reference)
            and self.account in ("", call.account)
            and operation in ("any", call.operation)
            and not (self.kind in HIDING and self.seconds is not None and call.age >= self.seconds)
        )


@dataclass(frozen=True, slots=True)
class Call:
    """What a fault is matched with; `age` is how many seconds ago the order that is asked about was taken."""

    provider: str
    operation: Operation
    reference: str = ""
    account: str = ""
    age: float = 0.0


@dataclass(slots=True)
class Commanded:
    """A fault under its number, and how many more times it happens."""

    id: int
    fault: Fault
    left: int | None


class Faults:
    """The faults that were commanded, the oldest first, and then those that account numbers stand for."""

    def __init__(self, store: Store, magic: dict[str, tuple[Fault, ...]]) -> None:
        self._store, self._magic, self._lock = store, magic, threading.Lock()
        self._spent: set[tuple[str, Kind, str]] = set()
        self._commanded = [
            Commanded(row["id"], msgspec.json.decode(row["fault"], type=Fault), row["left"])
            for row in store.rows("SELECT * FROM faults ORDER BY id")
        ]

    def command(self, fault: Fault) -> Commanded:
        """From now on, let this go wrong."""
        with self._store.transaction(), self._lock:
            number = self._store.insert("faults", fault=msgspec.json.encode(fault), left=fault.times)
            self._commanded.append(made := Commanded(number, fault, fault.times))
        return made

    def heal(self, number: int | None = None) -> None:
        """Take back one fault, or all of them; those of account numbers stay."""
        with self._store.transaction(), self._lock:
            self._store.run("DELETE FROM faults WHERE :number IS NULL OR id = :number", number=number)
            self._commanded = [one for one in self._commanded if number is not None and one.id != number]

    def commanded(self) -> list[Commanded]:
        """What goes wrong now."""
        return list(self._commanded)

    def take(self, kinds: Iterable[Kind], call: Call) -> Fault | None:
        """The first fault of these kinds for this call, counted as having happened."""
        if not self._commanded and call.account not in self._magic:
            return None
        with self._store.transaction(), self._lock:
            for one in self._commanded:
                if one.fault.kind in kinds and one.left != 0 and one.fault.fits(call):
                    self._count(one)
                    return one.fault
            return next(
                (fault for fault in self._magic.get(call.account, ()) if self._is_due(fault, kinds, call)), None
            )

    def _count(self, one: Commanded) -> None:
        if one.left is None:
            return
        one.left -= 1
        self._store.run("UPDATE faults SET left = :left WHERE id = :id", left=one.left, id=one.id)

    def _is_due(self, fault: Fault, kinds: Iterable[Kind], call: Call) -> bool:
        """An account number's fault; one with `times` happens once for each reference."""
        if fault.kind not in kinds or not fault.fits(call):
            return False
        key = (call.account, fault.kind, call.reference)
        if fault.times is not None and key in self._spent:
            return False
        self._spent.add(key)
        return True
