"""What a provider takes for a payout: our expense and never the customer's, posted once, as soon as it is told."""

import logging
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from ledger.requests import Posting
from users import audit
from wallets import chart, provider_fees
from wallets.models import Withdrawal
from wallets.providers.port import PayoutState, RemoteStatus
from wallets.withdrawals import steps
from wallets.withdrawals.steps import Because

logger = logging.getLogger(__name__)


def told(withdrawal: Withdrawal, state: PayoutState) -> Decimal | None:
    """What the bank says that it took for a payment that it made, in major units; None where nothing is to be posted.

    A provider may tell of it later than of the payment, or say nothing, or what can't be so.
    """
    if withdrawal.provider_fee is not None or not state.fee or state.status != RemoteStatus.SUCCEEDED:
        return None
    if state.currency == withdrawal.currency and provider_fees.is_believed(state.fee, withdrawal.currency):
        return state.fee
    logger.error(
        "Withdrawal %s: %s says that it took %s %s for it, which isn't posted.",
        withdrawal.pk, withdrawal.provider, state.fee, state.currency,
    )  # fmt: skip
    return None


def postings(withdrawal: Withdrawal, cost: Decimal | None) -> list[Posting]:
    """What is to be posted of it by the caller's transaction, in the same act as the payout where that is posted too.

    It is a transaction beside the payout's, so that a payout which comes back is reversed without it.
    """
    provider, currency = withdrawal.provider, withdrawal.currency
    amount = 0 if cost is None else provider_fees.to_post(provider, currency, cost)
    if not amount:
        return []
    legs = (chart.provider_fees(currency).debit(amount), chart.clearing(provider, currency).credit(amount))
    return [Posting("provider_fee", f"withdrawal:{withdrawal.pk}:cost", legs, metadata={"told": str(cost)})]


def record(withdrawal: Withdrawal, cost: Decimal | None, because: Because, *, now: datetime) -> None:
    """Write down that it is posted, beside what brought the news of it."""
    if cost is None:
        return
    what = f"The bank took {cost} {withdrawal.currency} for it."
    Withdrawal.objects.filter(pk=withdrawal.pk).update(provider_fee=cost)
    steps.note(withdrawal, replace(because, what=what, raw={}), now=now)
    audit.record(
        actor=because.actor, action="withdrawal.cost", kind="withdrawal", object_id=withdrawal.pk,
        data={"provider_fee": str(cost)}, now=now,
    )  # fmt: skip
