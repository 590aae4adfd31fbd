"""What workers do for the copy, where there is one."""

import logging
from collections.abc import Callable
from datetime import datetime
from time import monotonic

from wallets.clickhouse import feed, reconciling, tables

logger = logging.getLogger(__name__)


def feed_for(*, clock: Callable[[], datetime], seconds: float) -> int:
    """Copy events until the time is over or all are copied; returns how many."""
    client, end, total = tables.connect(), monotonic() + seconds, 0
    while monotonic() < end and (count := feed.feed(client, now=clock())):
        total += count
    return total


def reconcile(*, now: datetime) -> int:
    """Compare every day, and make those that differ anew; returns how many did."""
    client = tables.connect()
    found = reconciling.differences(client, now=now)
    for each in found:
        logger.error("The copy of %s differs: %s here, %s there; it is made anew.", each.day, each.ours, each.copy)
    reconciling.repair(client, found, now=now)
    return len(found)
