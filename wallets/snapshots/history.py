"""Snapshots as they are read: a wallet's history, the newest of it, and a series for a chart."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db.models import QuerySet

from ledger import sql
from users.callers import Caller
from users.permissions import require_scope
from users.validation import ValidationError
from wallets.access import Need, NotFound, enter
from wallets.models import BalanceSnapshot

Granularity = Literal["hour", "day"]
STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
# How many steps a series has where nobody says from when, and how many at most.
USUAL, MOST = 168, 1_000


@dataclass(frozen=True, slots=True)
class Point:
    """How a provider's account stood at the end of an hour or day that began at `at`."""

    at: datetime
    snapshot: BalanceSnapshot


def snapshots(
    caller: Caller, wallet_id: UUID, *, since: datetime | None = None, until: datetime | None = None
) -> QuerySet[BalanceSnapshot]:
    """A wallet's snapshots between two moments, both included. Raises NotFound and PermissionDenied."""
    require_scope(caller, "wallets:read")
    enter(caller, wallet_id, Need.VIEW)
    found = BalanceSnapshot.objects.filter(wallet_id=wallet_id)
    if since is not None:
        found = found.filter(as_of__gte=since)
    return found if until is None else found.filter(as_of__lte=until)


def latest(caller: Caller, wallet_id: UUID) -> BalanceSnapshot:
    """The newest one. Raises NotFound before the first, and PermissionDenied."""
    found = snapshots(caller, wallet_id).order_by("pk").last()
    if found is None:
        raise NotFound("balance snapshot")
    return found


SERIES = """
SELECT DISTINCT ON (at, provider) date_trunc(%(step)s, as_of AT TIME ZONE 'UTC') AS at, id
FROM wallets_balancesnapshot
WHERE wallet_id = %(wallet)s AND as_of >= %(since)s AND as_of <= %(until)s
ORDER BY at, provider, as_of DESC
"""


def series(
    caller: Caller, wallet_id: UUID, granularity: Granularity, *, since: datetime | None, until: datetime
) -> list[Point]:
    """The last snapshot of every hour or day that has one, oldest first, for each provider.

    Raises NotFound, PermissionDenied, and ValidationError where it would be more than a thousand steps.
    """
    snapshots(caller, wallet_id)
    step = STEPS[granularity]
    since = until - USUAL * step if since is None else since
    if until - since > MOST * step:
        raise ValidationError.on("from", "out_of_range", f"A series has {MOST} {granularity}s at most.")
    return points(wallet_id, granularity, since=since, until=until)


def points(wallet_id: UUID, granularity: Granularity, *, since: datetime, until: datetime) -> list[Point]:
    """The series itself, for whoever may see it."""
    asked = {"step": granularity, "wallet": wallet_id, "since": since, "until": until}
    rows = sql.rows(SERIES, asked)
    found = BalanceSnapshot.objects.in_bulk([id for _, id in rows])
    return [Point(at.replace(tzinfo=UTC), found[id]) for at, id in rows]
