"""Ringing for a worker. The row is the queue: a bell that nobody hears delays the work until the sweep, and no more."""

import logging
from time import monotonic

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# After a failure the broker is left alone for so many seconds: a request shouldn't wait for it each time.
PAUSE = 5.0
_quiet_until = 0.0


def ring(task: str, *args: str, after: float = 0.0) -> None:
    """Send a message for a task, to be heard in so many seconds, or leave it to the sweep where the broker is away."""
    global _quiet_until
    if not settings.CELERY_ENABLED or monotonic() < _quiet_until:
        return
    try:
        current_app.send_task(task, args=args, countdown=after or None)
    except (OperationalError, OSError) as error:
        _quiet_until = monotonic() + PAUSE
        logger.warning("The broker can't be reached, the sweep will find the work: %s", error)
