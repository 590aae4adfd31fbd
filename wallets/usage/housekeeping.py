"""What is done to usage now and then: days made ahead and dropped, minutes merged, what is old forgotten."""

import logging
from collections.abc import Callable
from datetime import datetime

from wallets.usage import compaction, keys, partitions, quarantine

logger = logging.getLogger(__name__)


def keep_house(*, clock: Callable[[], datetime]) -> None:
    """Do all of it; what fails doesn't keep the rest from being done."""
    works: tuple[Callable[..., int], ...] = (
        partitions.make, partitions.drop, compaction.compact, keys.forget, quarantine.forget,
    )  # fmt: skip
    for work in works:
        try:
            work(now=clock())
        except Exception:
            logger.exception("%s failed; it is tried again within the hour.", work.__module__)
