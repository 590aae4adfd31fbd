"""Drift that somebody must look at: an alert opens above a threshold, is mailed once, and closes well below it."""

import logging
from datetime import datetime

from django.conf import settings
from django.db import transaction

from wallets import bell, finance, metrics
from wallets.currencies import exponent
from wallets.documents.document import major
from wallets.models import BalanceSnapshot, DriftAlert

logger = logging.getLogger(__name__)


def threshold(currency: str) -> int:
    """How much drift is allowed, in minor units."""
    return int(settings.DRIFT_THRESHOLDS.get(currency, settings.DRIFT_THRESHOLD))


def judge(snapshot: BalanceSnapshot, *, now: datetime) -> None:
    """Open the account's alert where the drift is above the threshold, close it where it is at most half of that.

    In between an open alert stays open, so that a drift around the threshold is one alert. Inside the caller's
    transaction.
    """
    allowed, drift = threshold(snapshot.currency), abs(snapshot.drift)
    account = {
        "provider": snapshot.provider, "external_account_id": snapshot.external_account_id,
        "currency": snapshot.currency, "closed_at": None,
    }  # fmt: skip
    if drift > allowed:
        details = {
            "threshold": allowed, "drift": snapshot.drift, "latest_drift": snapshot.drift, "snapshot": snapshot,
            "opened_at": now,
        }  # fmt: skip
        _, fresh = DriftAlert.objects.get_or_create(**account, defaults=details)
        if fresh:
            _sound(snapshot)
    closing = {"closed_at": now} if drift <= allowed // 2 else {}
    DriftAlert.objects.filter(**account).update(latest_drift=snapshot.drift, **closing)


def unmailed() -> list[DriftAlert]:
    """The alerts that nobody was told of yet, oldest first."""
    return list(DriftAlert.objects.filter(mailed_at=None).order_by("opened_at")[:50])


def mail(alert: DriftAlert, *, now: datetime) -> None:
    """Tell the finance group of an alert, once, whoever else is about to. Raises what the mail server says."""
    if not DriftAlert.objects.filter(pk=alert.pk, mailed_at=None).update(mailed_at=now):
        return
    try:
        finance.mail(f"Drift at {alert.provider}: {_amount(alert, alert.drift)}", _letter(alert))
    except Exception:
        DriftAlert.objects.filter(pk=alert.pk).update(mailed_at=None)
        raise


def _sound(snapshot: BalanceSnapshot) -> None:
    logger.warning(
        "Drift: %s holds %s %s, our books and payouts in flight leave %d minor units unexplained.",
        snapshot.external_account_id, snapshot.total, snapshot.currency, snapshot.drift,
    )  # fmt: skip
    metrics.drift_alerted(snapshot.provider, snapshot.currency)
    transaction.on_commit(lambda: bell.ring("wallets.mail_drift_alerts"))


def _letter(alert: DriftAlert) -> str:
    snapshot = alert.snapshot
    return (
        f"{alert.provider} holds {alert.currency} {snapshot.total.normalize():f} in {alert.external_account_id}.\n"
        f"Our books say {_amount(alert, snapshot.ledger_balance)},"
        f" of which {_amount(alert, snapshot.in_flight)} are payouts in flight.\n"
        f"That leaves {_amount(alert, alert.drift)} unexplained; {_amount(alert, alert.threshold)} are allowed.\n\n"
        f"Read at {snapshot.as_of:%Y-%m-%d %H:%M:%S} UTC. Nothing was changed. The back office has the history, under\n"
        "Drift alerts. This is the only mail about it until it is back within half of what is allowed.\n"
    )


def _amount(alert: DriftAlert, amount: int) -> str:
    return f"{alert.currency} {major(amount, exponent(alert.currency)):,}"
