"""Ringing for a worker. The row is the queue: a bell that nobody hears delays the work until the sweep, and no more."""

import logging
from threading import Lock, Timer
from time import monotonic

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# After a failure the broker is left alone for so many seconds: a request shouldn't wait for it each time.
PAUSE = 5.0
_quiet_until = 0.0
# So many seconds after the first who asks for it, one ring serves all who asked since.
GATHER = 0.05
_will_ring_at: dict[str, float] = {}
_guard = Lock()


def ring(task: str, *args: str, after: float = 0.0, expires: float | None = None) -> None:
    """Send a message for a task, to be heard in so many seconds, or leave it to the sweep where the broker is away.

    After `expires` seconds a worker passes the message over.
    """
    global _quiet_until
    if not settings.CELERY_ENABLED or monotonic() < _quiet_until:
        return
    try:
        current_app.send_task(task, args=args, countdown=after or None, expires=expires)
    except (OperationalError, OSError) as error:
        _quiet_until = monotonic() + PAUSE
        logger.warning("The broker can't be reached, the sweep will find the work: %s", error)


def ring_soon(task: str, *, expires: float) -> None:
    """Ring, but once for all who ask for it within a twentieth of a second; and let nobody wait for it."""
    now = monotonic()
    with _guard:
        if not settings.CELERY_ENABLED or now < _will_ring_at.get(task, 0.0):
            return
        _will_ring_at[task] = now + GATHER
    timer = Timer(GATHER, ring, (task,), {"expires": expires})
    timer.daemon = True
    timer.start()
