"""Reading every linked account again and again: claimed by one worker at a time, later when the provider is away."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from ledger import sql
from ledger.durable import durable
from users.callers import System
from wallets.models import ProviderAccount
from wallets.providers.port import ProviderUnavailable
from wallets.providing import provider, registry
from wallets.snapshots import sync
from wallets.snapshots.reading import AskedTooOften
from wallets.snapshots.sync import Asker, Target

logger = logging.getLogger(__name__)

BALANCES = Asker(System("balances"), "system:balances")
# How long a worker has before another one may read the account.
LEASE = timedelta(seconds=120)
LONGEST_PAUSE = 24 * 60.0


def due(*, now: datetime, limit: int = 50) -> list[UUID]:
    """The linked accounts that are to be read now, longest waiting first."""
    if not settings.BALANCE_SYNC_MINUTES:
        return []
    statement = "SELECT id FROM wallets_provideraccount WHERE next_at <= %s ORDER BY next_at LIMIT %s"
    return [row[0] for row in sql.rows(statement, (now, limit))]


def advance(account_id: UUID, *, clock: Callable[[], datetime]) -> bool:
    """Read one account and store what is told, if nobody else has it and it is due. Returns whether this worker did."""
    link = _claim(account_id, clock())
    if link is None:
        return False
    target = Target(link.wallet_id, link.currency, provider(link.provider), link.external_account_id)
    with sync.measured(link.provider) as ended:
        try:
            told = sync.ask(target, BALANCES, clock=clock)
            ended("new" if _store(target, told, clock()) else "unchanged")
        except AskedTooOften:
            ended("put_off")
            _put_off(link, clock() + sync.pause(1), link.failures)
        except ProviderUnavailable as error:
            logger.warning("The balance of %s couldn't be read: %s", link, error)
            minutes = min(settings.BALANCE_SYNC_MINUTES * 2.0**link.failures, LONGEST_PAUSE)
            _put_off(link, clock() + sync.pause(minutes), link.failures + 1)
    return True


@durable
def _claim(account_id: UUID, now: datetime) -> ProviderAccount | None:
    """Claim it by a conditional UPDATE. One whose provider isn't enabled waits, as if it had failed."""
    claimed = sql.run(
        "UPDATE wallets_provideraccount SET lease = lease + 1, next_at = %s WHERE id = %s AND next_at <= %s"
        " RETURNING id",
        (now + LEASE, account_id, now),
    ).fetchone()
    if claimed is None:
        return None
    link = ProviderAccount.objects.get(pk=account_id)
    if link.provider in registry():
        return link
    logger.error("%s can't be read: the provider isn't enabled.", link)
    _put_off(link, now + timedelta(minutes=LONGEST_PAUSE), link.failures + 1)
    return None


@durable
def _store(target: Target, told: sync.Told, now: datetime) -> bool:
    """Store it, whether or not somebody claimed the account since: what was read is true, and older than no news."""
    return sync.store(target, told, BALANCES, now=now).fresh


def _put_off(link: ProviderAccount, next_at: datetime, failures: int) -> None:
    ProviderAccount.objects.filter(pk=link.pk, lease=link.lease).update(next_at=next_at, failures=failures)
