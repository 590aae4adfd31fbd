"""The days of events: their partitions are made ahead, and dropped whole once they are old.

The application owns no table; two functions of the owner do it in its stead.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from ledger import sql
from ledger.durable import durable

# What is received on a day that has none yet goes to the default partition, and is moved when it is made.
DAYS_AHEAD = 7


@durable
def make(*, now: datetime, days: int = DAYS_AHEAD) -> int:
    """Make the partitions of today and of so many days ahead, where they aren't yet. Returns how many were made."""
    made: int = sql.rows("SELECT wallets_make_usage_partitions(%s, %s)", (now.astimezone(UTC).date(), days + 1))[0][0]
    return made


@durable
def drop(*, now: datetime) -> int:
    """Drop those of days before the retention, with their events. Returns how many."""
    before = (now - timedelta(days=settings.USAGE_EVENT_DAYS)).astimezone(UTC).date()
    dropped: int = sql.rows("SELECT wallets_drop_usage_partitions(%s)", (before,))[0][0]
    return dropped
