"""Topping wallets up by themselves: when the current balance is below its mark, by a transfer in the owner's name.

Whoever tries has the plan locked, reads the balance after that, and commits the transfer, the attempt and the time
before which there is no other, all or none. So two at once are one, and what is declined is not asked for again soon.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from uuid_utils.compat import uuid7

from ledger import sql
from ledger.durable import durable
from users import audit
from users.callers import Caller
from wallets import metrics
from wallets.models import AutomaticTopUp, AutomaticTopUpAttempt, UsageAccount
from wallets.transfers import Order, Refusal, Transferred, find_routes, transfer_each
from wallets.usage import watching
from wallets.usage.months import after, month_of, start
from wallets.usage.settling import WORKERS

logger = logging.getLogger(__name__)

Outcome = AutomaticTopUpAttempt.Outcome
BATCH = 500
LONGEST_PAUSE = timedelta(days=1)
NOBODY = UUID(int=0)


def top_up_due(*, clock: Callable[[], datetime]) -> int:
    """Top up every wallet that is low and whose turn it is; returns how many attempts there were. Any number of workers
    may at once.
    """
    made, last = 0, UUID(int=0)
    while True:
        now = clock()
        found = list(_due(now).filter(pk__gt=last).order_by("pk")[:BATCH])
        balances = watching.current((plan.pk for plan in found), now=now)
        low = [plan.pk for plan in found if plan.pk in balances and balances[plan.pk].current < plan.below]
        made += sum(_tried(wallet, clock) for wallet in low)
        if len(found) < BATCH:
            return made
        last = found[-1].pk


def _tried(wallet_id: UUID, clock: Callable[[], datetime]) -> bool:
    try:
        return top_up(wallet_id, now=clock()) is not None
    except Exception:
        # One that fails must not keep the others from their turn.
        logger.exception("The wallet %s couldn't be topped up; it is tried again.", wallet_id)
        return False


@durable
def top_up(wallet_id: UUID, *, now: datetime) -> AutomaticTopUpAttempt | None:
    """Top a wallet up if it is low, its turn, and nobody else is at it; returns the attempt."""
    plan = _due(now).select_for_update(no_key=True, skip_locked=True).filter(pk=wallet_id).first()
    if plan is None:
        return None
    # In the order of settlements: usage, then money. Nothing is taken of it until this is committed.
    sql.run("SELECT FROM wallets_usageaccount WHERE wallet_id = %s FOR NO KEY UPDATE", (wallet_id,))
    current = watching.current([wallet_id], now=now)[wallet_id].current
    if current >= plan.below:
        return None
    if plan.monthly_cap is not None and moved_in_month(plan, now) + plan.amount > plan.monthly_cap:
        detail = f"Another {plan.amount} would be more than {plan.monthly_cap} in this month."
        return _declined(plan, current, "monthly_cap", detail, start(after(month_of(now))), now)
    done = _move(plan, now)
    if isinstance(done, Transferred):
        return _completed(plan, current, done, now)
    return _declined(plan, current, done.code, str(done), now + pause(plan.cool_down, plan.declines + 1), now)


def pause(cool_down: int, declines: int) -> timedelta:
    """How long after so many declines in a row it isn't tried: twice as long each time, and a day at most."""
    return min(timedelta(seconds=cool_down * 2.0 ** min(declines, 30)), LONGEST_PAUSE)


def moved_in_month(plan: AutomaticTopUp, now: datetime) -> int:
    """What was moved since the calendar month (UTC) began, in minor units."""
    made = AutomaticTopUpAttempt.objects.filter(
        wallet_id=plan.pk, outcome=Outcome.COMPLETED, made_at__gte=start(month_of(now))
    )
    return made.aggregate(sum=Sum("amount"))["sum"] or 0


def _due(now: datetime) -> QuerySet[AutomaticTopUp]:
    return AutomaticTopUp.objects.filter(Q(next_at=None) | Q(next_at__lte=now), is_active=True)


def _move(plan: AutomaticTopUp, now: datetime) -> Transferred | Refusal:
    """The transfer, as the owner would make it: what they may no longer do is declined."""
    owner = Caller("person", plan.source.owner_id or NOBODY)
    order = Order(owner, plan.source_id, plan.amount, plan.wallet_id, description="Automatic top-up")
    (outcome,) = transfer_each(find_routes([order]), now=now)
    return outcome


def _completed(plan: AutomaticTopUp, current: Decimal, done: Transferred, now: datetime) -> AutomaticTopUpAttempt:
    _wait(plan, now + timedelta(seconds=plan.cool_down), declines=0)
    # Usage that waited for money is settled as soon as there is some.
    UsageAccount.objects.filter(pk=plan.wallet_id, tries__gt=0).update(settle_at=now)
    return _keep(plan, current, Outcome.COMPLETED, now, transfer_id=done.order.id)


def _declined(
    plan: AutomaticTopUp, current: Decimal, code: str, detail: str, next_at: datetime, now: datetime
) -> AutomaticTopUpAttempt:
    _wait(plan, next_at, declines=min(plan.declines + 1, 1_000))
    logger.warning("The wallet %s wasn't topped up: %s", plan.wallet_id, detail)
    return _keep(plan, current, Outcome.DECLINED, now, code=code, detail=detail[:300])


def _wait(plan: AutomaticTopUp, next_at: datetime, *, declines: int) -> None:
    AutomaticTopUp.objects.filter(pk=plan.pk).update(next_at=next_at, declines=declines)


def _keep(plan: AutomaticTopUp, current: Decimal, outcome: str, now: datetime, **more: object) -> AutomaticTopUpAttempt:
    attempt = AutomaticTopUpAttempt.objects.create(
        id=uuid7(), wallet_id=plan.wallet_id, source_id=plan.source_id, amount=plan.amount,
        currency=plan.source.currency, current=current, outcome=outcome, made_at=now, **more,
    )  # fmt: skip
    data = {"source": str(plan.source_id), "amount": plan.amount, "code": attempt.code, "attempt": str(attempt.pk)}
    audit.record(
        actor=WORKERS, action=f"automatic_top_up.{outcome}", kind="wallet", object_id=plan.wallet_id, data=data,
        now=now,
    )  # fmt: skip
    metrics.topped_up(outcome)
    return attempt
