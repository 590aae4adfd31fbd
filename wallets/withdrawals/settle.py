"""How a withdrawal ends: paid, given back, or before a person. Each inside the caller's transaction, which has its row
locked.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger import holds
from ledger.decision import InsufficientFunds
from ledger.posting import post_all, post_one
from ledger.requests import Close, Place, Posting
from ledger.reversal import reversal
from wallets import chart, metrics
from wallets.models import Withdrawal
from wallets.withdrawals import cost, timing
from wallets.withdrawals.steps import Because, Status, move


def complete(withdrawal: Withdrawal, because: Because, *, took: Decimal | None = None, now: datetime) -> None:
    """The bank paid: the money leaves the wallet and the provider's account with us, once, however often it is said.

    With it goes what the bank took for that, in major units, where that is told. Raises InsufficientFunds where the
    money was given back and spent meanwhile.
    """
    payout = [] if withdrawal.transaction_id else [_payout(withdrawal)]
    _post([*payout, *cost.postings(withdrawal, took)], now)
    if payout:
        metrics.payout_settled(withdrawal.provider, (now - withdrawal.created_at).total_seconds())
    posted = payout[0].id if payout else withdrawal.transaction_id
    # What was paid before and is said to be so again was contradicted by the bank: a person's word ends that.
    look = None if withdrawal.transaction_id else timing.next_look(now, now)
    move(
        withdrawal, Status.COMPLETED, because, now=now, transaction_id=posted, completed_at=now,
        next_at=look, checks=0, failure_code="", failure_detail="",
    )  # fmt: skip
    cost.record(withdrawal, took, because, now=now)


def book_cost(withdrawal: Withdrawal, because: Because, *, took: Decimal | None, now: datetime) -> None:
    """The bank tells only after it paid what it took for that."""
    _post(cost.postings(withdrawal, took), now)
    cost.record(withdrawal, took, because, now=now)


def fail(withdrawal: Withdrawal, because: Because, *, code: str, detail: str, now: datetime) -> None:
    """The bank refused conclusively: the money is the wallet's to spend again."""
    give_hold_back(withdrawal, now=now)
    move(withdrawal, Status.FAILED, because, now=now, failure_code=code, failure_detail=detail[:255])


def give_back(withdrawal: Withdrawal, because: Because, *, code: str, detail: str, now: datetime) -> None:
    """The bank had paid, and has the money back: all of it, our fee included, returns by a transaction of its own.

    Raises NotReversible.
    """
    assert withdrawal.transaction_id is not None
    posting = reversal(
        withdrawal.transaction_id, reference=f"withdrawal:{withdrawal.pk}:return", description="Returned by the bank"
    )
    post_one(posting, now=now)
    metrics.posted(posting.kind)
    move(
        withdrawal, Status.RETURNED, because, now=now, return_transaction_id=posting.id, failure_code=code,
        failure_detail=detail[:255],
    )  # fmt: skip


def review(withdrawal: Withdrawal, because: Because, *, code: str, now: datetime) -> None:
    """Nobody but a person can tell: the money stays held, or is held again as far as it is there."""
    changes: dict[str, Any] = {}
    if withdrawal.transaction_id is None and withdrawal.hold.status != "open":
        try:
            changes["hold_id"] = hold_again(withdrawal, now=now)
        except InsufficientFunds:
            code = f"{code}_money_gone"
    move(
        withdrawal, Status.IN_REVIEW, because, now=now, failure_code=code, failure_detail=because.what[:255], **changes
    )


def give_hold_back(withdrawal: Withdrawal, *, now: datetime) -> None:
    """Release its hold, where it still binds anything."""
    if withdrawal.hold.status == "open":
        holds.release(withdrawal.wallet.account_id, withdrawal.hold_id, now=now)


def hold_again(withdrawal: Withdrawal, *, now: datetime) -> Any:
    """Hold amount and fee anew; returns the hold's id. Raises InsufficientFunds."""
    place = Place(withdrawal.wallet.account_id, withdrawal.amount + withdrawal.fee, "")
    named = Place(place.account, place.amount, f"withdrawal:{withdrawal.pk}:{place.id}", id=place.id)
    holds.place(named, now=now)
    return named.id


def _post(postings: Sequence[Posting], now: datetime) -> None:
    """Post them as one act, where there are any."""
    if postings:
        post_all(postings, now=now)
    for posting in postings:
        metrics.posted(posting.kind)


def _payout(withdrawal: Withdrawal) -> Posting:
    """The posting of the payout and our fee, out of the hold where there is one."""
    account, total = withdrawal.wallet.account_id, withdrawal.amount + withdrawal.fee
    purse = chart.wallet(account, withdrawal.currency)
    legs = [purse.debit(total), chart.clearing(withdrawal.provider, withdrawal.currency).credit(withdrawal.amount)]
    if withdrawal.fee:
        legs.append(chart.fees(withdrawal.currency).credit(withdrawal.fee))
    held = withdrawal.hold.status == "open"
    return Posting(
        "withdrawal", f"withdrawal:{withdrawal.pk}", tuple(legs),
        closes=(Close(account, withdrawal.hold_id, total),) if held else (), description=withdrawal.description,
    )  # fmt: skip
