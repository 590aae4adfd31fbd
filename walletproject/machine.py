"""Whether the books are proved, closed and saved, and whether workers keep up, as the first page tells it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import inf
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice import cells
from backoffice.tables import Column, Table
from ledger.closing import first_open_day
from ledger.seals.sealing import head
from ledger.verifications import last_verification
from wallets import backups, wal
from wallets.metrics.queues import measured

COLUMNS = (Column("What"), Column("State"), Column("When"))
# Seconds after which what waits for a worker is worth a look.
LATE = 60


def state(now: datetime) -> Table:
    """All of it, one line for each."""
    return Table("The state of things", COLUMNS, [*_books(), *_backups(now), _archive(), *_queues()])


def _books() -> Iterator[tuple[Any, ...]]:
    proved, sealed, opens = last_verification(), head(), first_open_day()
    if proved is None:
        yield ("Books proved", cells.label("Never", "warning"), cells.NOTHING)
    else:
        told = ("Clean", "success") if not proved.broken else (f"{proved.broken} broken", "danger")
        yield (
            cells.rows_link("ledger_verification", "Books proved"), cells.label(*told), cells.moment(proved.started_at)
        )  # fmt: skip
    closed = f"through {opens - timedelta(days=1)}" if opens else "No day yet"
    seal = cells.identifier(sealed.seal.hex()) if sealed else cells.NOTHING
    yield (cells.rows_link("ledger_seal", "Books closed"), closed, seal)


def _backups(now: datetime) -> Iterator[tuple[Any, ...]]:
    """The last backup and the last rehearsal, with their ages; where there is none, what to do."""
    last = backups.last_backup()
    for title, at, stale, todo in (
        ("Last backup", last.ended_at if last else None, backups.STALE, "manage.py backup FOLDER"),
        ("Last restored", backups.last_rehearsal(), backups.REHEARSAL_STALE, "manage.py restore FOLDER --rehearse"),
    ):
        name = cells.rows_link("wallets_backup", title)
        if at is None:
            yield (name, cells.label("Never", "warning"), _command(todo))
        else:
            fresh = now - at <= stale
            yield (name, cells.label(_age(now - at), "success" if fresh else "warning"), cells.moment(at))


def _age(age: timedelta) -> str:
    """How long ago, in minutes, in hours, or in days from two on."""
    minutes = int(age.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"


def _archive() -> tuple[Any, ...]:
    """Whether the WAL is archived; a reader that is away for long costs the server its disk, or us the WAL."""
    archiver = wal.archiver()
    if archiver is None:
        return ("WAL archived", cells.label("Never", "warning"), _command("manage.py archive_wal FOLDER"))
    told = ("Follows", "success") if archiver.follows else ("Stopped", "danger")
    lost = "some of it is lost: start it anew, and take a backup"
    behind = lost if archiver.behind == inf else f"{cells.size(int(archiver.behind))} behind"
    return ("WAL archived", cells.label(*told), behind)


def _command(line: str) -> SafeString:
    return format_html("<code>{}</code>", line)


def _queues() -> Iterator[tuple[Any, ...]]:
    for name, waiting, seconds in measured():
        told = (f"{waiting:,} due", "warning" if seconds > LATE else "info") if waiting else ("Idle", "success")
        since = f"for {seconds:,.0f} s" if waiting else cells.NOTHING
        yield (f"Queue of {name.replace('_', ' ')}", cells.label(*told), since)
