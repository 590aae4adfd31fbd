"""References of ours that every provider takes: 16 to 50 of [a-z0-9_-] for payouts, of [a-z0-9-] for deposits."""

import re
from uuid import UUID

_deposit = re.compile(r"dep-([0-9a-f]{32})(?:-([0-9]+))?").fullmatch


def payout_reference(withdrawal_id: UUID, attempt: int) -> str:
    """The reference of a withdrawal's attempt, such as wdr_6f1c…e2_1: 38 characters for the first nine."""
    return f"wdr_{withdrawal_id.hex}_{attempt}"


def deposit_reference(top_up_id: UUID) -> str:
    """The first reference of a top-up, such as dep-6f1c…e2."""
    return f"dep-{top_up_id.hex}"


def next_deposit_reference(reference: str) -> str:
    """The one after it, such as dep-6f1c…e2-2. Raises ValueError for one that isn't ours."""
    found = _deposit(reference)
    if found is None:
        raise ValueError(f"{reference} is no reference of a top-up.")
    return f"dep-{found[1]}-{int(found[2] or 1) + 1}"


def top_up_of(reference: str) -> UUID | None:
    """The top-up that a reference of ours names, or None where it isn't one."""
    found = _deposit(reference)
    return UUID(found[1]) if found else None
