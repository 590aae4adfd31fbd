"""What is ordered, what is made of it, and what can become of it."""

from dataclasses import dataclass

from wallets.simulator.amounts import MILLION
from wallets.simulator.faults import Fault, Kind

# What a payout costs on top of its amount, unless it is told otherwise.
FEES = {"paystack": 25 * MILLION, "flutterwave": 26_875_000, "fincra": 50 * MILLION}
OPEN = frozenset({"pending", "otp", "approval"})
OTP_LASTS = 1800.0


class Refused(Exception):
    """The order isn't taken, and nothing will come of it."""


class DuplicateReference(Exception):
    """The reference was taken before: there is an order by it."""


class InsufficientBalance(Exception):
    """There is less than the amount and the fee."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid to whom; the reference is the customer's."""

    provider: str
    reference: str
    currency: str
    amount: int
    bank_code: str
    account_number: str
    account_name: str
    narration: str = ""
    recipient: int = 0
    will_fail: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """An order that was taken. `word` is what is said of it instead of its state, `said_…` instead of what it is; a fee
    of which nothing is said is None.
    """

    id: int
    provider: str
    reference: str
    copy: int
    currency: str
    amount: int
    fee: int
    state: str
    word: str
    detail: str
    said_amount: int
    said_currency: str
    said_fee: int | None
    bank_code: str
    account_number: str
    account_name: str
    narration: str
    recipient: int
    created: float
    updated: float
    paid: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a transfer, `after` so many seconds."""

    after: float
    state: str
    word: str = ""
    detail: str = ""


def other_currency(currency: str) -> str:
    """One that it isn't."""
    return "USD" if currency != "USD" else "NGN"


def may_become(state: str, next_state: str) -> bool:
    """Whether a transfer can still go from one state to another."""
    return state in OPEN if next_state != "reversed" else state == "success"


def course(fault: Fault | None, provider: str, settle: float) -> list[Step]:
    """What becomes of an order from its taking on, when it is paid after `settle` seconds or a fault decides."""
    pending, returned = Step(0, "pending"), "The beneficiary's bank returned it."
    if fault is None:
        return [pending, Step(settle, "success")]
    after = 5.0 if fault.seconds is None else fault.seconds
    abandoned = [Step(OTP_LASTS, "failed", "abandoned")] if provider == "paystack" else []
    courses = {
        Kind.FAILED: [pending, Step(settle, "failed", fault.word, "The beneficiary's bank refused it.")],
        Kind.FAILED_AT_ONCE: [Step(0, "failed", fault.word, "The beneficiary's bank is not available.")],
        Kind.REVERSED: [pending, Step(settle, "success"), Step(settle + after, "reversed", fault.word, returned)],
        Kind.STUCK: [pending],
        Kind.OTP: [Step(0, "otp"), *abandoned],
        Kind.APPROVAL: [Step(0, "approval")],
        Kind.UNDOCUMENTED: [Step(0, "pending", fault.word or "queued")],
    }
    return courses[fault.kind]
