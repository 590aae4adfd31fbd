"""References of ours that every provider takes: 16 to 50 of [a-z0-9_-] for payouts, of [a-z0-9-] for deposits."""

import re
from uuid import UUID

_is_hex = re.compile(r"[0-9a-f]+").fullmatch


def payout_reference(withdrawal_id: UUID, attempt: int) -> str:
    """The reference of a withdrawal's attempt, such as wdr_6f1c…e2_1: 38 characters for the first nine."""
    return f"wdr_{withdrawal_id.hex}_{attempt}"


def deposit_reference(top_up_id: UUID) -> str:
    """The reference of a top-up, such as dep-6f1c…e2."""
    return f"dep-{top_up_id.hex}"


def top_up_of(reference: str) -> UUID | None:
    """The top-up that a reference of ours names, or None where it isn't one."""
    prefix, _, name = reference.partition("-")
    return UUID(name) if prefix == "dep" and len(name) == 32 and _is_hex(name) else None
