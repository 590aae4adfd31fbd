"""A worker of the benchmark of usage, in the product's database: `seed`, `read N` and `recalculate N` tell JSON, `read`
a line for each one that it is sent.

The events of `read` and `recalculate` are written in bulk, as the owner would restore them: how they came isn't
measured here, but what is asked of them afterwards.
"""

import json
import resource
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import django

django.setup()

from benchmarks.measure import timed  # noqa: E402
from ledger import sql  # noqa: E402
from ledger.durable import durable  # noqa: E402
from users import clients  # noqa: E402
from users.callers import Caller, System  # noqa: E402
from wallets.balances import Ask  # noqa: E402
from wallets.models import Meter, UsageAccount, UsageMonth, Wallet  # noqa: E402
from wallets.usage import balances, cache, estimates, meters, prices, rebuilding, recalculation  # noqa: E402
from wallets.usage.meters import NewMeter  # noqa: E402
from wallets.usage.months import after  # noqa: E402
from wallets.usage.pricing import Tier  # noqa: E402
from wallets.usage.recounting import Months, recount  # noqa: E402
from wallets.usage.tariffs import Tariff  # noqa: E402

BY = System("benchmark")
READER = Caller("service", UUID(int=1), frozenset({"wallets:read"}))
TARIFF = Tariff("graduated", tiers=[Tier(Decimal(10**6), Decimal("0.731")), Tier(None, Decimal("0.2"))])
READS, CHUNK = 60, 500_000
FILL = """
INSERT INTO wallets_usageevent (received_at, occurred_at, key, wallet_id, meter_id, quantity, source, event_id,
                                properties)
SELECT %(now)s, %(now)s::timestamptz - random() * interval '1 day', gen_random_uuid(),
       (%(wallets)s::uuid[])[CASE WHEN n %% 10 = 0 THEN 1 ELSE 2 + n %% (%(count)s - 1) END], %(meter)s, 1, 'bench',
       'b-' || n, '{}'
FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""


def now() -> datetime:
    return datetime.now(UTC)


def seed() -> Iterator[dict[str, str]]:
    """A meter with tiers, and a service that reports."""
    meters.make(NewMeter("calls", "Calls", "call", "sum"), by=BY, now=now())
    prices.announce("calls", TARIFF, currency="NGN", by=BY, now=now())
    scopes = ("usage:write", "wallets:read")
    made = clients.create_api_client(name="bench", scopes=scopes, actor=BY, now=now())
    yield {"key_id": made.key_id, "secret": made.secret}


def fill(count: int) -> list[UUID]:
    """So many events of the last day, one in ten of the first wallet, with all that they come to; for all wallets."""
    wallets = list(Wallet.objects.order_by("pk").values_list("pk", flat=True))
    asked = {"now": now(), "wallets": sql.uuids(wallets), "count": len(wallets), "meter": Meter.objects.get().pk}
    for first in range(1, count + 1, CHUNK):
        durable(sql.run)(FILL, asked | {"first": first, "last": min(count, first + CHUNK - 1)})
    months = Months((now() - timedelta(days=1)).date().replace(day=1), now().date().replace(day=1))
    for wallet in wallets:
        _total(wallet, months)
    return wallets


def _total(wallet: UUID, months: Months) -> None:
    parts = recount([wallet], months)
    account, _ = UsageAccount.objects.get_or_create(
        pk=wallet, defaults={"overage": "stop", "opened_at": now(), "watermark": now()}
    )
    UsageMonth.objects.bulk_create(
        UsageMonth(
            wallet_id=wallet, month=part.group.month, meter_id=part.group.meter, price_id=part.price.id,
            quantity=part.counted_quantity, events=part.events, latest_at=now(), amount=part.counted_amount,
        )
        for part in parts
    )  # fmt: skip
    account.rated = sum((part.counted_amount for part in parts), Decimal(0))
    account.save()
    rebuilding.rebuild(wallet, Months(months.first, after(months.last)))


def read(count: int) -> Iterator[dict[str, Any]]:
    """Microseconds for each number of the busiest wallet, for each line of the input: exact, estimated where nothing is
    kept, and where all is.
    """
    wallet = fill(count)[0]
    asks = [Ask(READER, wallet)]
    sql.run("ANALYZE")
    acts: dict[str, Callable[[], object]] = {
        "current": lambda: balances.read(asks, now=now()),
        "miss": lambda: _estimate(asks, cached=False),
        "hit": lambda: _estimate(asks, cached=True),
    }
    for _ in sys.stdin:
        yield {name: _median(act) for name, act in acts.items()}


def _estimate(asks: Sequence[Ask], *, cached: bool) -> None:
    (known,) = estimates.read(asks, now=now(), cached=cached)
    if not isinstance(known, estimates.Known):
        raise known
    known.estimate()


def _median(act: Callable[[], object]) -> float:
    act()
    return statistics.median(timed(act) for _ in range(READS)) * 1_000_000


def recalculate(count: int) -> Iterator[dict[str, Any]]:
    """Seconds for a whole recalculation, its peak of memory in MB, and what it found."""
    fill(count)
    cache.memory.clear()
    job = recalculation.begin(by=BY, now=now(), queued=False)

    def run() -> None:
        while recalculation.step(job, now=now()):
            pass

    seconds = timed(run)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield {"seconds": seconds, "events": job.events, "differences": job.differences, "peak": peak}


COMMANDS: dict[str, Callable[..., Iterator[dict[str, Any]]]] = {"seed": seed, "read": read, "recalculate": recalculate}
name, *numbers = sys.argv[1:]
for told in COMMANDS[name](*map(int, numbers)):
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
