"""Events that weren't taken and may yet be: kept for a person to decide."""

from collections.abc import Container, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from uuid_utils.compat import uuid7

from ledger import sql
from wallets.models import QuarantinedEvent
from wallets.usage.events import Outcome
from wallets.usage.keys import Named

# The same event, sent again and again, is one line.
KEEP = """
INSERT INTO wallets_quarantinedevent (id, key, content, code, source, event_id, wallet, meter, quantity, occurred_at,
                                      properties, sent_by, received_at, state, decided_by, decided_because)
SELECT q.*, n.now, 'open', '', ''
FROM (SELECT %s::timestamptz AS now) AS n,
     unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::uuid[], %s::text[],
            %s::numeric[], %s::timestamptz[], %s::jsonb[], %s::text[]) AS q
ON CONFLICT (key, content) DO NOTHING
"""


def keep(named: Named, outcomes: Sequence[Outcome], *, now: datetime, codes: Container[str] | None) -> None:
    """Keep those whose code is among these, or all that have one, inside the caller's transaction."""
    kept = [
        number for number, outcome in enumerate(outcomes) if outcome.code and (codes is None or outcome.code in codes)
    ]
    if not kept:
        return
    events = [named.events[number] for number in kept]
    sql.run(
        KEEP,
        (
            now, sql.uuids(uuid7() for _ in kept), sql.hashes(named.keys[number] for number in kept),
            sql.hashes(named.contents[number] for number in kept), sql.texts(outcomes[number].code for number in kept),
            sql.texts(event.source for event in events), sql.texts(event.event_id for event in events),
            sql.uuids(event.wallet for event in events), sql.texts(event.meter for event in events),
            sql.decimals(event.quantity for event in events), sql.moments(event.occurred_at for event in events),
            sql.texts(event.document for event in events), sql.texts(event.sent_by[:60] for event in events),
        ),
    )  # fmt: skip


def waiting() -> QuerySet[QuarantinedEvent]:
    """Those that nobody has decided about."""
    return QuarantinedEvent.objects.filter(state=QuarantinedEvent.State.OPEN)


def forget(*, now: datetime, limit: int = 10_000) -> int:
    """Throw away lines that were decided, or lay about, for longer than they are kept. Returns how many."""
    before = now - timedelta(days=settings.USAGE_QUARANTINE_DAYS)
    old = QuarantinedEvent.objects.filter(received_at__lt=before).order_by("pk").values("pk")[:limit]
    return QuarantinedEvent.objects.filter(pk__in=old).delete()[0]
