"""Alerts of wallets that run low: each opens once when a threshold is crossed, is mailed once, and closes above it.

Whoever judges a threshold has it locked and reads the balance after that: so that however many events and workers
race, one crossing is one alert, and none is opened upon a balance that was.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from uuid_utils.compat import uuid7

from ledger.durable import durable
from users.callers import Caller
from users.permissions import require_scope
from wallets import bell, finance, metrics
from wallets.access import Need, enter
from wallets.currencies import exponent
from wallets.documents.document import major
from wallets.models import Member, UsageAlert, UsageThreshold
from wallets.usage import watching
from wallets.usage.amounts import MICRO, whole, written

logger = logging.getLogger(__name__)

Kind = UsageThreshold.Kind
Verdict = Literal["opens", "closes", "stays"]
BATCH = 500


def verdict(figure: Decimal | None, below: int, clears_at: int, *, is_open: bool) -> Verdict:
    """What a figure makes of an alert: in between it stays as it is. None is a runway without end."""
    if is_open:
        return "closes" if figure is None or figure >= clears_at else "stays"
    return "opens" if figure is not None and figure < below else "stays"


def judge_all(*, clock: Callable[[], datetime]) -> int:
    """Judge every threshold, batch by batch; returns how many alerts were opened. Any number of workers may at once:
    what another one is at is passed over.
    """
    opened, after = 0, UUID(int=0)
    while True:
        judged, fresh = judge_batch(after, now=clock())
        opened += fresh
        if len(judged) < BATCH:
            return opened
        after = judged[-1].pk


@durable
def judge_batch(after: UUID, *, now: datetime) -> tuple[list[UsageThreshold], int]:
    """Judge the next thresholds; returns them, and how many alerts were opened."""
    free = UsageThreshold.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    found = list(free.filter(pk__gt=after).select_related("wallet").order_by("pk")[:BATCH])
    if not found:
        return [], 0
    figures = _figures(found, now)
    known = {
        alert.threshold_id: alert for alert in UsageAlert.objects.filter(threshold__in=found, closed_at=None)
    }  # fmt: skip
    opened = sum(_judge(each, figures[each.pk], known.get(each.pk), now) for each in found if each.pk in figures)
    return found, opened


def visible(caller: Caller, wallet_id: UUID) -> QuerySet[UsageAlert]:
    """A wallet's alerts, for those who may see it. Raises NotFound and PermissionDenied."""
    require_scope(caller, "wallets:read")
    enter(caller, wallet_id, Need.VIEW)
    return UsageAlert.objects.filter(wallet_id=wallet_id)


def unmailed() -> list[UsageAlert]:
    """The alerts that nobody was told of yet, oldest first."""
    return list(UsageAlert.objects.filter(mailed_at=None).select_related("wallet__owner").order_by("opened_at")[:50])


def mail(alert: UsageAlert, *, now: datetime) -> None:
    """Tell the wallet's owners and the finance group of an alert, once, whoever else is about to. Raises what the mail
    server says.
    """
    if not UsageAlert.objects.filter(pk=alert.pk, mailed_at=None).update(mailed_at=now):
        return
    try:
        finance.mail(f"A wallet runs low: {_told(alert, alert.figure)} left", _letter(alert), to=_owners(alert))
    except Exception:
        UsageAlert.objects.filter(pk=alert.pk).update(mailed_at=None)
        raise


def _figures(found: Sequence[UsageThreshold], now: datetime) -> Mapping[UUID, Decimal | None]:
    """What each threshold is held against, as it is now."""
    balances = watching.current((each.wallet_id for each in found if each.kind == Kind.CURRENT), now=now)
    runways = watching.runways((each.wallet_id for each in found if each.kind == Kind.RUNWAY), now=now)
    figures: dict[UUID, Decimal | None] = {}
    for each in found:
        if each.kind == Kind.RUNWAY and each.wallet_id in runways:
            figures[each.pk] = runways[each.wallet_id]
        elif each.kind == Kind.CURRENT and each.wallet_id in balances:
            figures[each.pk] = balances[each.wallet_id].current
    return figures


def _judge(threshold: UsageThreshold, figure: Decimal | None, alert: UsageAlert | None, now: datetime) -> bool:
    """Write what a figure makes of a threshold that is locked; returns whether an alert was opened."""
    says = verdict(figure, threshold.below, threshold.clears_at, is_open=alert is not None)
    shown = None if figure is None else figure.quantize(MICRO)
    if says == "opens" and shown is not None:
        _open(threshold, shown, now)
        return True
    if alert is not None and (says == "closes" or shown != alert.latest):
        latest = alert.latest if shown is None else shown
        closed_at = now if says == "closes" else None
        UsageAlert.objects.filter(pk=alert.pk).update(latest=latest, closed_at=closed_at)
    return False


def _open(threshold: UsageThreshold, figure: Decimal, now: datetime) -> None:
    alert = UsageAlert.objects.create(
        id=uuid7(), threshold=threshold, wallet=threshold.wallet, kind=threshold.kind, below=threshold.below,
        figure=figure, latest=figure, opened_at=now,
    )  # fmt: skip
    logger.warning("The wallet %s runs low: %s left.", threshold.wallet_id, _told(alert, figure))
    metrics.usage_alerted(threshold.kind)
    transaction.on_commit(lambda: bell.ring("wallets.mail_usage_alerts"))


def _letter(alert: UsageAlert) -> str:
    wallet = alert.wallet
    owner = wallet.owner.email if wallet.owner else "nobody"
    return (
        f"The wallet {wallet.name or wallet.pk} of {owner} has {_told(alert, alert.figure)} left,\n"
        f"below {_told(alert, Decimal(alert.below))}. Usage that isn't settled yet is counted.\n\n"
        f"Seen at {alert.opened_at:%Y-%m-%d %H:%M:%S} UTC. This is the only mail about it until it has recovered.\n"
    )


def _owners(alert: UsageAlert) -> list[str]:
    """Where those are written to who manage the wallet, and may set its thresholds."""
    owners = Member.objects.filter(wallet=alert.wallet_id, role=Member.Role.OWNER, user__is_active=True)
    return list(owners.order_by("pk").values_list("user__email", flat=True))


def _told(alert: UsageAlert, figure: Decimal) -> str:
    if alert.kind == Kind.RUNWAY:
        return f"{written(round(figure, 1))} hours"
    currency = alert.wallet.currency
    return f"{currency} {major(whole(figure), exponent(currency)):,}"
