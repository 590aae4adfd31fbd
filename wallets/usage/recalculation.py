"""Full recalculation: a job that counts months again, wallet by wallet, and reports what differs. It changes nothing.

The row is the queue: a job that was interrupted goes on behind the last wallet that is done.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet

from ledger.durable import durable
from users import audit
from users.callers import Actor
from users.validation import ValidationError
from wallets.models import UsageAccount, UsageDifference, UsageRecalculation
from wallets.usage.months import after, month_of
from wallets.usage.recounting import Months, Part, recount

State = UsageRecalculation.State
# How many wallets are counted at once, and how long a worker has for them before another one may try.
BATCH = 50
LEASE = timedelta(minutes=15)


@durable
def begin(
    *, by: Actor, now: datetime, since: date | None = None, until: date | None = None, wallet_id: UUID | None = None,
    queued: bool = True,
) -> UsageRecalculation:  # fmt: skip
    """Begin a recalculation of the months of some days, of all that can be without any; for one wallet or for all.

    Workers do it where it is `queued`, else the caller, step by step. A month can be counted as long as all of its
    events are kept. Raises ValidationError where none can.
    """
    first, last = provable(now)
    months = Months(max(first, month_of_day(since or first)), min(last, month_of_day(until or last)))
    if months.first > months.last:
        detail = f"Events are kept from {first:%Y-%m} on: no month before can be counted again, nor one to come."
        raise ValidationError.on("since", "out_of_range", detail)
    job = UsageRecalculation.objects.create(
        only_id=wallet_id, since=months.first, until=months.last, wallets_total=_accounts(wallet_id).count(),
        started_by=":".join(by.actor)[:60], started_at=now, next_at=now if queued else None,
    )  # fmt: skip
    data = {"since": str(job.since), "until": str(job.until), "wallet": wallet_id and str(wallet_id)}
    audit.record(actor=by, action="usage.recalculated", kind="recalculation", object_id=job.pk, data=data, now=now)
    return job


def provable(now: datetime) -> Months:
    """The months whose events are all kept."""
    kept = (now - timedelta(days=settings.USAGE_EVENT_DAYS)).astimezone(UTC).date()
    first = kept if kept.day == 1 else after(kept.replace(day=1))
    return Months(first, month_of(now + timedelta(seconds=settings.USAGE_FUTURE_SECONDS)))


def month_of_day(day: date) -> date:
    """The month in which a day lies."""
    return day.replace(day=1)


def run_due(*, clock: Callable[[], datetime], seconds: float) -> int:
    """Go on with jobs that are due until the time is over; returns how many batches were counted."""
    end, batches = monotonic() + seconds, 0
    while monotonic() < end:
        job = _claim(clock())
        if job is None:
            break
        step(job, now=clock())
        batches += 1
    return batches


@durable
def _claim(now: datetime) -> UsageRecalculation | None:
    due = UsageRecalculation.objects.filter(next_at__lte=now).order_by("next_at").first()
    if due is None:
        return None
    claimed = UsageRecalculation.objects.filter(pk=due.pk, next_at=due.next_at).update(next_at=now + LEASE)
    return due if claimed else None


def step(job: UsageRecalculation, *, now: datetime) -> bool:
    """Count the next batch of a job's wallets; returns whether there may be more."""
    after_last = _accounts(job.only_id).filter(pk__gt=job.reached) if job.reached else _accounts(job.only_id)
    wallets = list(after_last.order_by("pk").values_list("pk", flat=True)[:BATCH])
    parts = recount(wallets, Months(job.since, job.until)) if wallets else []
    return _keep(job, wallets, parts, now)


@durable
def _keep(job: UsageRecalculation, wallets: Sequence[UUID], parts: Sequence[Part], now: datetime) -> bool:
    """Write what a batch found, unless another worker has."""
    more = len(wallets) == BATCH
    differing = [part for part in parts if part.differs]
    moved = UsageRecalculation.objects.filter(pk=job.pk, state=State.RUNNING, reached=job.reached).update(
        reached=wallets[-1] if wallets else job.reached, wallets_done=F("wallets_done") + len(wallets),
        events=F("events") + sum(part.events for part in parts), differences=F("differences") + len(differing),
        state=State.RUNNING if more else State.FINISHED, finished_at=None if more else now,
        next_at=now if more and job.next_at else None,
    )  # fmt: skip
    if moved:
        UsageDifference.objects.bulk_create([_difference(job, part) for part in differing])
    job.refresh_from_db()
    return more and bool(moved)


def _difference(job: UsageRecalculation, part: Part) -> UsageDifference:
    wallet, month, meter = part.group
    return UsageDifference(
        recalculation=job, wallet_id=wallet, month=month, meter_id=meter, price_id=part.price.id,
        quantity=part.quantity, amount=part.amount, counted_quantity=part.counted_quantity,
        counted_amount=part.counted_amount,
    )  # fmt: skip


def stop(job_id: UUID, *, by: Actor, now: datetime) -> bool:
    """Stop a job; returns whether it was running."""
    running = UsageRecalculation.objects.filter(pk=job_id, state=State.RUNNING)
    return bool(running.update(state=State.STOPPED, next_at=None, finished_at=now))


def _accounts(wallet_id: UUID | None) -> QuerySet[UsageAccount]:
    found = UsageAccount.objects.all()
    return found if wallet_id is None else found.filter(pk=wallet_id)
