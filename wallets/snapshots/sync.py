"""One sync: the provider is read with no transaction open, then all that it told is stored, or found to be known.

Syncs of one wallet at one provider are stored one after the other, under the lock of their link. Who comes with what
is no news gets the row that is there.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from uuid_utils.compat import uuid7

from ledger.durable import durable
from users import audit
from users.callers import Actor, Caller
from users.permissions import PermissionDenied, require_scope
from wallets import currencies, metrics
from wallets.access import Need, enter
from wallets.models import BalanceSnapshot, ProviderAccount
from wallets.providers.port import PaymentProvider, ProviderUnavailable
from wallets.providing import chosen
from wallets.snapshots import alerts, books, reading
from wallets.snapshots.books import Books
from wallets.snapshots.reading import AskedTooOften, Reading

Clock = Callable[[], datetime]
AUDIT_KIND = "wallet"
# Minutes to the next reading where none is scheduled, so that nothing seems to be overdue.
UNSCHEDULED = 24 * 60.0


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants a sync: the actor for the trail, the word for `created_by`, and their key if they sent one."""

    actor: Actor
    word: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Which balance: a wallet's at a provider, and the account there once it is known."""

    wallet: UUID
    currency: str
    provider: PaymentProvider
    account: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """A reading, and our books on both sides of it."""

    reading: Reading
    before: Books
    after: Books


@dataclass(frozen=True, slots=True)
class Synced:
    """The snapshot that stands for a sync, and whether the sync has made it."""

    snapshot: BalanceSnapshot
    fresh: bool


def check_may_sync(caller: Caller) -> None:
    """Services with the scope may. Raises PermissionDenied."""
    if caller.kind == "person":
        raise PermissionDenied("Balances are synced by services with the scope balances:sync.")
    require_scope(caller, "balances:sync")


def target(caller: Caller, wallet_id: UUID, provider: str | None) -> Target:
    """What a caller wants to be synced: at the provider they name, else where the wallet is linked to, else at the
    default one. Raises NotFound and ValidationError.
    """
    wallet = enter(caller, wallet_id, Need.VIEW)
    links = ProviderAccount.objects.filter(wallet_id=wallet_id).order_by("pk")
    link = (links.filter(provider=provider) if provider else links).first()
    found = chosen(link.provider if link else provider)
    reading.check_tells_balances(found)
    return Target(wallet_id, wallet.currency, found, link.external_account_id if link else None)


def ask(target: Target, asker: Asker, *, clock: Clock) -> Told:
    """Read the provider, outside of any transaction. Raises AskedTooOften, and ProviderUnavailable: that the provider
    didn't answer is in the trail then.
    """
    slug, now = target.provider.slug, clock()
    before = books.read(slug, target.currency, now=now)
    try:
        told = reading.read(target.provider, target.currency, target.account, now=now)
    except AskedTooOften:
        raise
    except ProviderUnavailable as error:
        _note_failure(target, asker, str(error), clock())
        raise
    return Told(told, before, books.read(slug, target.currency, now=clock()))


def store(target: Target, told: Told, asker: Asker, *, now: datetime) -> Synced:
    """Keep what was told, inside the caller's transaction, or find the row that says it already."""
    link = _link(target, told.reading, now)
    known = BalanceSnapshot.objects.filter(wallet_id=target.wallet, provider=link.provider).order_by("pk").last()
    made = _snapshot(target, told, asker, now)
    news = known is None or (known.as_of < made.as_of and _content(known) != _content(made))
    if news:
        made.save(force_insert=True)
        alerts.judge(made, now=now)
    stands = made if known is None or news else known
    _schedule(link, now)
    data = {"provider": link.provider, "snapshot": str(stands.pk), "new": news, "drift": made.drift}
    audit.record(
        actor=asker.actor, action="balance.synced", kind=AUDIT_KIND, object_id=target.wallet, data=data, now=now
    )
    return Synced(stands, news)


@contextmanager
def measured(provider: str) -> Iterator[Callable[[str], None]]:
    """Counts a sync and times it; the block says how it ended, and one that is left by an error has failed."""
    started, ended = time.perf_counter(), ["failed"]
    metrics.sync_tried(provider)
    try:
        yield lambda outcome: ended.append(outcome)
    finally:
        metrics.sync_ended(provider, ended[-1], time.perf_counter() - started)


def pause(minutes: float) -> timedelta:
    """About so many minutes: linked accounts shall not all be read at once."""
    return timedelta(minutes=minutes * random.uniform(0.9, 1.1))


def _link(target: Target, told: Reading, now: datetime) -> ProviderAccount:
    """The wallet's link to the provider, locked; made at its first sync."""
    ProviderAccount.objects.bulk_create([
        ProviderAccount(
            wallet_id=target.wallet, provider=target.provider.slug, currency=target.currency,
            external_account_id=told.account, next_at=now, created_at=now,
        )
    ], ignore_conflicts=True)  # fmt: skip
    links = ProviderAccount.objects.select_for_update(no_key=True)
    return links.get(wallet_id=target.wallet, provider=target.provider.slug)


def _schedule(link: ProviderAccount, now: datetime) -> None:
    next_at = now + pause(settings.BALANCE_SYNC_MINUTES or UNSCHEDULED)
    ProviderAccount.objects.filter(pk=link.pk).update(next_at=next_at, failures=0)


def _snapshot(target: Target, told: Told, asker: Asker, now: datetime) -> BalanceSnapshot:
    read, slug = told.reading, target.provider.slug
    return BalanceSnapshot(
        id=uuid7(), wallet_id=target.wallet, provider=slug, external_account_id=read.account,
        external_balance_id=read.identity(slug, target.wallet), currency=target.currency, balance=read.available,
        total=read.total, ledger_balance=told.after.clearing, in_flight=told.after.in_flight,
        drift=books.drift(currencies.floor(read.total, target.currency), told.before, told.after),
        metadata={**read.metadata, "in_flight": told.after.in_flight}, created_by=asker.word,
        idempotency_key=asker.key, as_of=read.as_of, created_at=now,
    )  # fmt: skip


def _content(snapshot: BalanceSnapshot) -> tuple[object, ...]:
    """What must differ for a reading to be news."""
    return (
        snapshot.external_account_id, snapshot.balance, snapshot.total, snapshot.ledger_balance, snapshot.in_flight,
        snapshot.drift,
    )  # fmt: skip


@durable
def _note_failure(target: Target, asker: Asker, detail: str, now: datetime) -> None:
    data = {"provider": target.provider.slug, "detail": detail}
    audit.record(
        actor=asker.actor, action="balance.sync_failed", kind=AUDIT_KIND, object_id=target.wallet, data=data, now=now
    )
