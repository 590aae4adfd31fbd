"""How far events are that come and go by streams: the partitions they are read from, and the copy they are sent to."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice import cells
from backoffice.tables import Column, Figure, Table
from wallets.models import KafkaOffset, UsageFeed
from wallets.usage import feed

# A consumer tells of its partitions every five seconds: one that is silent for so long has died.
SILENCE = timedelta(seconds=60)
# Nobody waits for more to be counted.
MOST = 10_000
PARTITIONS = (
    Column("Topic"), Column("Partition", number=True), Column("Group"), Column("Taken up to offset", number=True),
    Column("Ends at", number=True), Column("Waiting", number=True), Column("Consumer"), Column("Since"),
    Column("Last heard of"), Column("State"),
)  # fmt: skip
COPIES = (
    Column("Store"), Column("Copied", number=True), Column("Waiting", number=True),
    Column("Up to transaction", number=True), Column("Up to event"), Column("Last moved"),
)  # fmt: skip


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page, for those who may look at streams."""
    if not request.user.has_perm("wallets.view_kafkaoffset"):
        raise PermissionDenied
    offsets = list(KafkaOffset.objects.order_by("topic", "partition", "consumers"))
    copies = [(copy, feed.waiting(feed.Cursor(copy.transaction, copy.key), limit=MOST + 1)) for copy in _copies()]
    shown_here = {
        "title": "Streams", "figures": _figures(offsets, [waiting for _, waiting in copies]),
        "tables": [_partitions(offsets, timezone.now()), _copied(copies)],
    }  # fmt: skip
    return TemplateResponse(request, "admin/usage_streams.html", context | shown_here)


def _copies() -> list[UsageFeed]:
    return list(UsageFeed.objects.order_by("store"))


def _figures(offsets: list[KafkaOffset], waiting: list[int]) -> list[Figure]:
    found = []
    if offsets:
        left = sum(offset.end_offset - offset.next_offset for offset in offsets)
        found.append(Figure("Messages that wait to be taken", cells.number(left), strong=True))
    if waiting:
        found.append(Figure("Events that wait to be copied", _counted(max(waiting)), strong=True))
    return found


def _partitions(offsets: list[KafkaOffset], now: datetime) -> Table:
    rows = [
        (offset.topic, offset.partition, offset.consumers, cells.number(offset.next_offset),
         cells.number(offset.end_offset), cells.number(offset.end_offset - offset.next_offset), offset.holder,
         cells.moment(offset.claimed_at), cells.moment(offset.seen_at), _state(offset, now))
        for offset in offsets
    ]  # fmt: skip
    return Table("Read from Kafka", PARTITIONS, rows, "Nothing was read from Kafka yet.")


def _state(offset: KafkaOffset, now: datetime) -> SafeString:
    if now - offset.seen_at > SILENCE:
        return cells.label("Silent", "danger")
    is_behind = offset.end_offset > offset.next_offset
    return cells.label("Behind", "warning") if is_behind else cells.label("Up to date", "success")


def _copied(copies: list[tuple[UsageFeed, int]]) -> Table:
    rows = [
        (copy.store, cells.number(copy.events), _counted(waiting), cells.number(copy.transaction),
         cells.identifier(copy.key), cells.moment(copy.moved_at))
        for copy, waiting in copies
    ]  # fmt: skip
    why = "Workers haven’t begun yet." if settings.CLICKHOUSE_URL else "CLICKHOUSE_URL says where, and isn’t set."
    return Table("Copied to another store", COPIES, rows, f"Nothing was copied yet. {why}")


def _counted(waiting: int) -> SafeString:
    return cells.number(waiting) if waiting <= MOST else cells.label(f"more than {MOST:,}", "warning")
