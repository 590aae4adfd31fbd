"""Files of events, read part by part: how far it is stands beside what was taken, in the same transaction."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from ledger.durable import durable
from wallets.models import UsageImport
from wallets.opening import InvalidState
from wallets.usage.events import Event
from wallets.usage.ingestion import take

# What tells files apart: their size, and what they begin with.
BEGINNING = 1_000_000


@durable
def open_import(path: Path, *, now: datetime) -> UsageImport:
    """The import of a file, begun or gone on with: it is known again by its size and beginning, whatever its name."""
    with path.open("rb") as file:
        digest = sha256(f"{path.stat().st_size}\0".encode() + file.read(BEGINNING)).hexdigest()
    values = {"file_name": path.name[:255], "started_at": now, "moved_at": now}
    found, _ = UsageImport.objects.get_or_create(digest=digest, defaults=values)
    return found


@durable
def take_part(
    job: UsageImport, events: Sequence[Event], wrong: int, *, until: int, now: datetime, bounded: bool = True
) -> Counter[str]:
    """Take the events of a part of the file that ends at the byte `until`, of which so many lines were wrong. Returns
    how many became what.

    Raises InvalidState where another import of the file is at it.
    """
    outcomes = Counter[str](outcome.status for outcome in take(events, now=now, bounded=bounded))
    outcomes.update(wrong=wrong)
    known = Counter(job.outcomes) + outcomes
    moved = UsageImport.objects.filter(pk=job.pk, offset=job.offset)
    if not moved.update(offset=until, outcomes=known, moved_at=now):
        raise InvalidState("The file is being imported by somebody else; let them, or stop them and start again.")
    job.offset, job.outcomes = until, dict(known)
    return outcomes
