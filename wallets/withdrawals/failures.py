"""What a customer is told of a withdrawal that wasn't paid: a sentence of ours for each code.

What the provider said, and what staff wrote, is in the history. It may speak of our account there, and isn't theirs.
"""

from collections.abc import Mapping

BACK = "and the money is back in your wallet"
SENTENCES: Mapping[str, str] = {
    "refused_by_bank": f"The bank didn't take this payout, {BACK}. Check the bank account, or use another one.",
    "returned_by_bank": f"The bank couldn't pay this out, {BACK}. Check the bank account, or use another one.",
    "not_paid_by_us": f"We couldn't make this payout, for a reason on our side, {BACK}. Try again later.",
    "settled_by_staff": f"We looked into this payout: it wasn't made, {BACK}.",
    "not_approved": f"This payout wasn't approved, {BACK}. Ask our support if you want to know why.",
    "cancelled": f"It was cancelled before it was sent to the bank, {BACK}.",
}
OTHERWISE = f"This payout couldn't be made, {BACK}."


def sentence(code: str) -> str:
    """Why it wasn't paid, for a customer to read."""
    return SENTENCES.get(code, OTHERWISE)
