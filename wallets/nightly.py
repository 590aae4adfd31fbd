"""What is done with the books at night, by whichever worker comes first."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from ledger import verifications

logger = logging.getLogger(__name__)


def verify(*, clock: Callable[[], datetime]) -> None:
    """Prove the books, from the hour of the settings on, unless that was done since."""
    since = clock().replace(hour=max(settings.VERIFY_HOUR, 0), minute=0, second=0, microsecond=0)
    if settings.VERIFY_HOUR < 0 or clock() < since:
        return
    made = verifications.prove_if_due(since=since, clock=clock)
    if made and made.broken:
        logger.critical("The books don't hold: %d offenders. docs/operations.md has what to do.", made.broken)
