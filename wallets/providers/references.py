"""References of ours that every provider takes: 16 to 50 of [a-z0-9_-] for payouts, of [a-z0-9-] for deposits."""

from uuid import UUID


def payout_reference(withdrawal_id: UUID, attempt: int) -> str:
    """The reference of a withdrawal's attempt, such as wdr_6f1c…e2_1: 38 characters for the first nine."""
    return f"wdr_{withdrawal_id.hex}_{attempt}"


def deposit_reference(top_up_id: UUID) -> str:
    """The reference of a top-up, such as dep-6f1c…e2."""
    return f"dep-{top_up_id.hex}"
