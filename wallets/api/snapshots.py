"""The provider's side over HTTP: a sync, its snapshots, and a series of them."""

import time
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger.durable import durable
from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from users.callers import Caller
from wallets import currencies
from wallets.api import shapes
from wallets.api.lists import ListView, Page
from wallets.api.once import KeyMissing, OnceView, body_of, claim_of, encoded
from wallets.api.wallets import When, read_moment
from wallets.idempotency import Answer, Claim, IdempotencyInProgress, find, once
from wallets.models import BalanceSnapshot
from wallets.snapshots import history, sync
from wallets.snapshots.sync import Asker, Target, Told

TAGS = ("provider balances",)
# A sync with the same key is being stored: that takes milliseconds, so its answer is waited for.
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


class SyncIn(shapes.In, frozen=True):
    """Which provider is to be asked: without one the wallet's own, or the default one."""

    provider: wire.Text | None = None


class SnapshotFilter(Page, rename={"since": "from", "until": "to"}):
    since: When | None = None
    until: When | None = None


class SeriesQuery(Struct, forbid_unknown_fields=True, kw_only=True, rename={"since": "from", "until": "to"}):
    granularity: Literal["hour", "day"] = "hour"
    since: When | None = None
    until: When | None = None


class SnapshotOut(Struct):
    """What a provider held, and what our books said then: minor units. The exact reading is in `metadata`."""

    id: UUID
    wallet: UUID
    provider: str
    balance: int
    currency: str
    external_balance_id: str
    as_of: datetime
    ledger_balance: int
    drift: int
    metadata: dict[str, Any]
    created_at: datetime


class Snapshots(Struct):
    """A page of snapshots, newest first."""

    results: list[SnapshotOut]
    next: str | None
    previous: str | None


class PointOut(Struct):
    """How it stood at the end of the hour or day that began at `at`; `total` includes what payouts have locked."""

    at: datetime
    provider: str
    balance: int
    total: int
    ledger_balance: int
    drift: int


class SeriesOut(Struct):
    """Points for a chart, oldest first; an hour or day without a change has none."""

    wallet: UUID
    granularity: str
    points: list[PointOut]


class SyncView(OnceView):
    @operation(
        summary="Read the provider's balance", body=SyncIn, answers={200: SnapshotOut, 201: SnapshotOut}, tags=TAGS,
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponse:
        """For services with the scope `balances:sync`. 201 for a new snapshot; 200 with the stored one where nothing
        has changed, or where the optional Idempotency-Key is known.
        """
        caller = caller_of(request)
        sync.check_may_sync(caller)
        body = wire.convert(body_of(request), SyncIn)
        claim = _claim(request)
        target = sync.target(caller, id, body.provider)
        with sync.measured(target.provider.slug) as ended:
            answer = (claim and find(claim)) or _sync(caller, target, claim)
            ended("replayed" if answer.replayed else "new" if answer.status == 201 else "unchanged")
        return self.answered(request, _known(answer))


class SnapshotsView(ListView):
    @operation(summary="A wallet's balances at its provider", query=SnapshotFilter, answers={200: Snapshots}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        which = wire.query(request, SnapshotFilter)
        since, until = read_moment(which.since, "from"), read_moment(which.until, "to", end=True)
        found = history.snapshots(caller_of(request), id, since=since, until=until)
        return Response(self.pages.page(found, request, snapshot_out))


class LatestView(APIView):
    @operation(summary="The newest balance at the provider", answers={200: SnapshotOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        return Response(snapshot_out(history.latest(caller_of(request), id)))


class SeriesView(APIView):
    @operation(summary="Balances at the provider for a chart", query=SeriesQuery, answers={200: SeriesOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        """The last snapshot of every hour or day; without `from` the last 168 of them."""
        which = wire.query(request, SeriesQuery)
        until = read_moment(which.until, "to", end=True) or timezone.now()
        points = history.series(
            caller_of(request), id, which.granularity, since=read_moment(which.since, "from"), until=until
        )
        return Response(SeriesOut(id, which.granularity, [_point_out(point) for point in points]))


def snapshot_out(snapshot: BalanceSnapshot) -> SnapshotOut:
    return SnapshotOut(
        snapshot.id, snapshot.wallet_id, snapshot.provider,
        currencies.floor(snapshot.balance, snapshot.currency), snapshot.currency, snapshot.external_balance_id,
        snapshot.as_of.astimezone(UTC), snapshot.ledger_balance, snapshot.drift, snapshot.metadata,
        snapshot.created_at.astimezone(UTC),
    )  # fmt: skip


def _point_out(point: history.Point) -> PointOut:
    snapshot = point.snapshot
    balance, total = (currencies.floor(amount, snapshot.currency) for amount in (snapshot.balance, snapshot.total))
    return PointOut(point.at, snapshot.provider, balance, total, snapshot.ledger_balance, snapshot.drift)


def _claim(request: Request) -> Claim | None:
    """The key, which is optional here: a sync moves no money."""
    try:
        return claim_of(request)
    except KeyMissing:
        return None


def _sync(caller: Caller, target: Target, claim: Claim | None) -> Answer:
    asker = Asker(caller, caller.key, claim.key if claim else None)
    told = sync.ask(target, asker, clock=timezone.now)
    if claim is None:
        return _store(target, told, asker)
    for pause in PAUSES:
        try:
            return once(claim, lambda: _stored(target, told, asker), now=timezone.now())
        except IdempotencyInProgress:
            time.sleep(pause)
    return once(claim, lambda: _stored(target, told, asker), now=timezone.now())


def _stored(target: Target, told: Told, asker: Asker) -> Answer:
    synced = sync.store(target, told, asker, now=timezone.now())
    return encoded(201 if synced.fresh else 200, snapshot_out(synced.snapshot))


_store = durable(_stored)


def _known(answer: Answer) -> Answer:
    """A snapshot that was made before is answered with 200, whatever the first answer was."""
    return Answer(200, answer.body, replayed=True) if answer.replayed else answer
