"""What is done with the books at night, by whichever worker comes first."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from ledger import verifications
from ledger.verifications import Verification
from wallets import finance, metrics

logger = logging.getLogger(__name__)


def verify(*, clock: Callable[[], datetime]) -> None:
    """Prove the books, from the hour of the settings on, unless that was done since; finance hears if they are broken.

    Raises what the mail server says; the proof is recorded before.
    """
    since = clock().replace(hour=max(settings.VERIFY_HOUR, 0), minute=0, second=0, microsecond=0)
    if settings.VERIFY_HOUR < 0 or clock() < since:
        return
    made = verifications.prove_if_due(since=since, clock=clock)
    if made is None:
        return
    metrics.verified(made.started_at, made.broken)
    if made.broken:
        logger.critical("The books don't hold: %d offenders, the first: %s", made.broken, made.report[0])
        finance.mail(f"The books don't hold: {made.broken} offenders", _letter(made))


def _letter(made: Verification) -> str:
    first = "\n".join(made.report)
    return (
        f"The proof of {made.started_at:%Y-%m-%d %H:%M} UTC found {made.broken} offenders, of which the first are\n\n"
        f"{first}\n\n"
        "The application's role can't break a law: somebody wrote to the tables as their owner. Stop the workers,\n"
        "keep this letter, and post nothing by hand; docs/operations.md says what to do.\n"
    )
