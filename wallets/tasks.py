"""What workers do. Each task is an interface: it says now, calls the domain, and is safe to run twice or never."""

import logging
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from ledger import holds
from wallets import closing, idempotency, nightly
from wallets.clickhouse import nightly as copying
from wallets.exports import forget, make
from wallets.queued import drain
from wallets.sandbox_bank import delivery
from wallets.sandbox_bank.notices import Kind
from wallets.snapshots import alerts, schedule
from wallets.topups import follow
from wallets.usage import alerts as usage_alerts
from wallets.usage import housekeeping, recalculation, settling, topping_up
from wallets.webhooks import inbox
from wallets.withdrawals import payout, shortage

logger = logging.getLogger(__name__)


@shared_task(name="wallets.advance_withdrawal")
def advance_withdrawal(withdrawal_id: str) -> None:
    """Take one withdrawal a step on, as soon as it was asked for."""
    payout.advance(UUID(withdrawal_id), clock=timezone.now)


@shared_task(name="wallets.sweep_withdrawals")
def sweep_withdrawals() -> None:
    """Take every withdrawal that is due a step on: what a lost message, a dead worker or a silent bank left."""
    for withdrawal_id in payout.due(now=timezone.now()):
        try:
            payout.advance(withdrawal_id, clock=timezone.now)
        except Exception:
            # One that fails must not keep the others from their turn; its lease brings it back.
            logger.exception("Withdrawal %s couldn't be taken a step on.", withdrawal_id)


@shared_task(name="wallets.drain_transfers")
def drain_transfers() -> None:
    """Make queued transfers for a second; then others have their turn, and it is rung for again where more wait."""
    drain.drain(clock=timezone.now, seconds=1.0)


@shared_task(name="wallets.sweep_holds")
def sweep_holds() -> None:
    """Close holds that have expired. Tidiness: nothing waits for it."""
    holds.sweep(now=timezone.now())


@shared_task(name="wallets.close_days")
def close_days() -> None:
    """Close the days whose time has come, and seal what is closed. One worker does; the others leave it to that one."""
    closing.close_due(clock=timezone.now)


@shared_task(name="wallets.mail_head")
def mail_head() -> None:
    """Tell the finance group of the newest seal, unless it was told of it."""
    closing.mail_head(now=timezone.now())


@shared_task(name="wallets.verify_ledger")
def verify_ledger() -> None:
    """Prove the books once a night. One worker does; the others leave it to that one."""
    nightly.verify(clock=timezone.now)


@shared_task(name="wallets.forget_bodies")
def forget_bodies() -> None:
    """Let go of stored answers, and of what providers told us, that were kept for long enough."""
    now = timezone.now()
    for let_go in (idempotency.forget_bodies, inbox.forget_bodies):
        while let_go(now=now):
            pass


@shared_task(name="wallets.handle_webhook")
def handle_webhook(event_id: str) -> None:
    """Act on one event as soon as a provider told of it."""
    inbox.handle(UUID(event_id), clock=timezone.now)


@shared_task(name="wallets.sweep_webhooks")
def sweep_webhooks() -> None:
    """Act on every event that is due: what a lost message or a dead worker left, and what is to be asked again."""
    for event_id in inbox.due(now=timezone.now()):
        inbox.handle(event_id, clock=timezone.now)


@shared_task(name="wallets.sweep_top_ups")
def sweep_top_ups() -> None:
    """Ask about every top-up that is due: webhooks may never come."""
    for top_up_id in follow.due(now=timezone.now()):
        try:
            follow.advance(top_up_id, clock=timezone.now)
        except Exception:
            # One that fails must not keep the others from their turn; its lease brings it back.
            logger.exception("Top-up %s couldn't be asked about.", top_up_id)


@shared_task(name="wallets.sandbox_tell")
def sandbox_tell(kind: Kind, reference: str) -> None:
    """Let the sandbox bank deliver a webhook. One that isn't taken is lost: the sweeps ask without it."""
    delivery.tell(kind, reference, now=timezone.now())


@shared_task(name="wallets.sweep_balances")
def sweep_balances() -> None:
    """Read every linked account that is due."""
    for account_id in schedule.due(now=timezone.now()):
        try:
            schedule.advance(account_id, clock=timezone.now)
        except Exception:
            # One that fails must not keep the others from their turn; its lease brings it back.
            logger.exception("The linked account %s couldn't be read.", account_id)


@shared_task(name="wallets.mail_drift_alerts")
def mail_drift_alerts() -> None:
    """Tell the finance group of every alert that it wasn't told of yet."""
    for alert in alerts.unmailed():
        try:
            alerts.mail(alert, now=timezone.now())
        except Exception:
            logger.exception("The alert %s couldn't be mailed; it is tried again.", alert.pk)


@shared_task(name="wallets.make_export")
def make_export(export_id: str) -> None:
    """Make one file as soon as it was asked for."""
    make.make(UUID(export_id), clock=timezone.now)


@shared_task(name="wallets.sweep_exports")
def sweep_exports() -> None:
    """Make the files that nobody makes, and let go of those that were kept for long enough."""
    for export_id in make.due(now=timezone.now()):
        make.make(export_id, clock=timezone.now)
    forget.forget(now=timezone.now())


@shared_task(name="wallets.mail_shortages")
def mail_shortages() -> None:
    """Tell the finance group of every account at a provider that orders wait for, as it has too little."""
    for circuit in shortage.untold(now=timezone.now()):
        try:
            shortage.mail(circuit, now=timezone.now())
        except Exception:
            logger.exception("That %s has too little couldn't be mailed; it is tried again.", circuit)


@shared_task(name="wallets.settle_usage")
def settle_usage() -> None:
    """Settle usage that is due for a second; then others have their turn."""
    settling.settle_due(clock=timezone.now, seconds=1.0)


@shared_task(name="wallets.keep_usage")
def keep_usage() -> None:
    """Make the days of events ahead, and put what is old out of the way."""
    housekeeping.keep_house(clock=timezone.now)


@shared_task(name="wallets.recount_usage")
def recount_usage() -> None:
    """Begin to count usage again from raw events, as every night."""
    recalculation.begin(by=settling.WORKERS, now=timezone.now())


@shared_task(name="wallets.recalculate_usage")
def recalculate_usage() -> None:
    """Go on with recalculations for a few seconds."""
    recalculation.run_due(clock=timezone.now, seconds=5.0)


@shared_task(name="wallets.feed_clickhouse")
def feed_clickhouse() -> None:
    """Copy usage events to ClickHouse for a few seconds."""
    copying.feed_for(clock=timezone.now, seconds=5.0)


@shared_task(name="wallets.reconcile_clickhouse")
def reconcile_clickhouse() -> None:
    """Compare the copy in ClickHouse with PostgreSQL, as every night, and mend it."""
    copying.reconcile(now=timezone.now())


@shared_task(name="wallets.watch_usage")
def watch_usage() -> None:
    """Top up the wallets that are low, and then tell of those that still are."""
    topping_up.top_up_due(clock=timezone.now)
    usage_alerts.judge_all(clock=timezone.now)


@shared_task(name="wallets.mail_usage_alerts")
def mail_usage_alerts() -> None:
    """Tell owners and the finance group of every wallet that runs low and that they weren't told of yet."""
    for alert in usage_alerts.unmailed():
        try:
            usage_alerts.mail(alert, now=timezone.now())
        except Exception:
            logger.exception("The alert %s couldn't be mailed; it is tried again.", alert.pk)
