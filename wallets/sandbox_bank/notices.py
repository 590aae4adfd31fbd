"""Promising a webhook: the bank will tell us of something, unless the bell that stands for its promise is lost."""

from typing import Literal

from django.db import transaction

from wallets import bell

Kind = Literal["payout", "deposit"]


def promise(kind: Kind, reference: str, *, after: float = 0.0) -> None:
    """Tell of a payout or a deposit in so many seconds, once the caller's transaction is committed.

    A bell that is lost is a webhook that never came: we ask the bank without it.
    """
    transaction.on_commit(lambda: bell.ring("wallets.sandbox_tell", kind, reference, after=after))
