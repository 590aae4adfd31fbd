"""The workers: how messages travel, and the one table of periodic jobs.

A message is only a bell. What is to be done stands in a row of PostgreSQL, is claimed there, and a sweep finds
what a lost message left; so that a message may come late, twice or never.
"""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import celeryd_init
from django.conf import settings
from django.utils import timezone
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "walletproject.settings")

TRANSPORT = {
    "visibility_timeout": 20,
    # Seconds from one look for messages of dead workers to the next; at every look, not at every tenth.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "health_check_interval": 10,
    "socket_keepalive": True,
}
# Who publishes stands in a request: a broker that hangs may cost it this long, and no retry.
IMPATIENT = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2, "max_retries": 0}
# A worker has time, but must notice a connection that died silently.
PATIENT = {"socket_connect_timeout": 5, "socket_timeout": 10}

app = Celery("walletproject")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    # A task that dies with its process comes back; claims in the database keep it from running twice.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    task_default_queue="default",
    task_queues=[Queue("default")],
    # The sweep rings again; a request doesn't wait for it.
    task_publish_retry=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options=TRANSPORT | IMPATIENT,
    worker_hijack_root_logger=False,
    timezone="UTC",
    beat_schedule={
        "withdrawals": {"task": "wallets.sweep_withdrawals", "schedule": 1.0, "options": {"expires": 5}},
        "webhooks": {"task": "wallets.sweep_webhooks", "schedule": 2.0, "options": {"expires": 5}},
        "top-ups": {"task": "wallets.sweep_top_ups", "schedule": 5.0, "options": {"expires": 10}},
        "transfers": {"task": "wallets.drain_transfers", "schedule": 1.0, "options": {"expires": 1}},
        "holds": {"task": "wallets.sweep_holds", "schedule": 30.0},
        "balances": {"task": "wallets.sweep_balances", "schedule": 10.0, "options": {"expires": 10}},
        "drift": {"task": "wallets.mail_drift_alerts", "schedule": 60.0, "options": {"expires": 60}},
        "exports": {"task": "wallets.sweep_exports", "schedule": 10.0, "options": {"expires": 10}},
        "closing": {"task": "wallets.close_days", "schedule": 300.0, "options": {"expires": 60}},
        "heads": {"task": "wallets.mail_head", "schedule": 60.0, "options": {"expires": 60}},
        "verification": {"task": "wallets.verify_ledger", "schedule": 600.0, "options": {"expires": 60}},
        "shortages": {"task": "wallets.mail_shortages", "schedule": 60.0, "options": {"expires": 60}},
        "usage": {"task": "wallets.settle_usage", "schedule": 5.0, "options": {"expires": 5}},
        "usage-again": {"task": "wallets.recount_usage", "schedule": crontab(hour=2, minute=20)},
        "usage-recalculations": {"task": "wallets.recalculate_usage", "schedule": 10.0, "options": {"expires": 10}},
        "usage-days": {"task": "wallets.keep_usage", "schedule": 3600.0},
        "usage-watch": {"task": "wallets.watch_usage", "schedule": 2.0, "options": {"expires": 2}},
        "usage-alerts": {"task": "wallets.mail_usage_alerts", "schedule": 60.0, "options": {"expires": 60}},
        "answers": {"task": "wallets.forget_bodies", "schedule": 3600.0},
        "tokens": {"task": "users.purge", "schedule": 3600.0},
    },
)
# Only where there is a ClickHouse to copy to.
CLICKHOUSE_JOBS = {
    "usage-copy": {"task": "wallets.feed_clickhouse", "schedule": 10.0, "options": {"expires": 10}},
    "usage-copy-proof": {"task": "wallets.reconcile_clickhouse", "schedule": crontab(hour=3, minute=40)},
}
app.autodiscover_tasks()


@app.on_after_configure.connect
def copy_usage(sender: Celery, **_: Any) -> None:
    """Let beat ring for the copy of usage, once the settings say that there is one."""
    if settings.CLICKHOUSE_URL:
        sender.conf.beat_schedule |= CLICKHOUSE_JOBS


@app.task(name="users.purge")
def purge_users() -> None:
    """Throw away tokens and nonces that have served."""
    from users.housekeeping import purge

    purge(timezone.now())


@celeryd_init.connect
def be_patient(conf: Any = None, **_: Any) -> None:
    """In a worker process, give the broker more time than a request would."""
    conf.broker_transport_options = TRANSPORT | PATIENT
