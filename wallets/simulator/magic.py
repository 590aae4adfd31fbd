"""Account numbers that misbehave, for people who try the product by hand; docs/simulator.md has the same table."""

from wallets.simulator.faults import Fault, Kind

MAGIC: dict[str, tuple[Fault, ...]] = {
    "0000000001": (Fault(kind=Kind.REFUSED),),
    "0000000002": (Fault(kind=Kind.TIMEOUT, when="after", times=1),),
    "0000000003": (Fault(kind=Kind.TIMEOUT, when="before", times=1),),
    "0000000004": (Fault(kind=Kind.STUCK),),
    "0000000005": (Fault(kind=Kind.REVERSED, seconds=5),),
    "0000000006": (Fault(kind=Kind.WEBHOOK_DUPLICATE),),
    "0000000007": (Fault(kind=Kind.WRONG_AMOUNT),),
    "0000000008": (Fault(kind=Kind.OTP),),
    "0000000009": (Fault(kind=Kind.TIMEOUT, when="after", times=1), Fault(kind=Kind.HIDDEN, seconds=20)),
    "0000000010": (Fault(kind=Kind.FAILED),),
    "0000000011": (Fault(kind=Kind.FAILED_AT_ONCE),),
    "0000000012": (Fault(kind=Kind.RESET, when="before", times=1),),
    "0000000013": (Fault(kind=Kind.RESET, when="after", times=1),),
    "0000000014": (Fault(kind=Kind.ERROR, when="before", times=1),),
    "0000000015": (Fault(kind=Kind.ERROR, when="after", times=1),),
    "0000000016": (Fault(kind=Kind.HTML, when="after", times=1),),
    "0000000017": (Fault(kind=Kind.TRUNCATED, times=1),),
    "0000000018": (Fault(kind=Kind.RATE_LIMIT, times=1),),
    "0000000019": (Fault(kind=Kind.SLOW, seconds=5, times=1),),
    "0000000020": (Fault(kind=Kind.INSUFFICIENT),),
    "0000000021": (Fault(kind=Kind.APPROVAL),),
    "0000000022": (Fault(kind=Kind.UNDOCUMENTED),),
    "0000000023": (Fault(kind=Kind.WRONG_CURRENCY),),
    "0000000024": (Fault(kind=Kind.WEBHOOK_MISSING),),
    "0000000025": (Fault(kind=Kind.WEBHOOK_FORGED),),
    "0000000026": (Fault(kind=Kind.REVERSED, seconds=2), Fault(kind=Kind.WEBHOOK_REORDERED)),
    # The providers' own test accounts.
    "0690000036": (Fault(kind=Kind.REFUSED, provider="flutterwave"),),
    "0123456789": (Fault(kind=Kind.FAILED, provider="fincra"),),
}
