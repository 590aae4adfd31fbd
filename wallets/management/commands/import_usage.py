"""Import a file of usage events."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.commands import Command as Base
from users.validation import ValidationError
from wallets.management.usage_files import Line, lines
from wallets.models import UsageImport
from wallets.opening import InvalidState
from wallets.usage import importing

BATCH = 1_000
# So many wrong lines are shown; all of them are counted.
SHOWN = 20


class Command(Base):
    """A part of 1,000 lines is taken or not: one that is interrupted goes on with the next part."""

    help = (
        "Import usage events from a file, each of them once: NDJSON as POST /usage/events takes it, or CSV with the"
        " same names in its heading, where further columns are properties. Started again, it goes on where it stopped."
        " Exit code 0 when every line is known now; 1 when some were wrong or rejected; 2 when it was asked for"
        " wrongly, or by two at once."
    )
    examples = """
  manage.py import_usage march.ndjson
  manage.py import_usage history.csv --any-age     also events that are older than is taken otherwise
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--any-age", action="store_true", help="take events however old they are")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.", returncode=2)
        job = importing.open_import(path, now=timezone.now())
        try:
            self._import(path, job, options)
        except (InvalidState, ValidationError) as error:
            raise CommandError(str(error), returncode=2) from error
        self._tell(job, quiet=options["quiet"])
        if any(job.outcomes.get(name) for name in ("conflict", "rejected", "wrong")):
            sys.exit(1)

    def _import(self, path: Path, job: UsageImport, options: dict[str, Any]) -> None:
        shown = 0
        with Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True, disable=options["quiet"],
        ) as bar:  # fmt: skip
            task = bar.add_task(path.name, total=path.stat().st_size, completed=job.offset)
            for part in _parts(lines(path, job.offset, "system:import_usage")):
                troubles = [line.trouble for line in part if line.event is None]
                for trouble in troubles[: SHOWN - shown]:
                    self.stderr.write(f"✗ before byte {part[-1].end:,}: {trouble}")
                shown += len(troubles[: SHOWN - shown])
                events = [line.event for line in part if line.event]
                importing.take_part(
                    job, events, len(troubles), until=part[-1].end, now=timezone.now(),
                    bounded=not options["any_age"],
                )  # fmt: skip
                bar.update(task, completed=job.offset)

    def _tell(self, job: UsageImport, *, quiet: bool) -> None:
        if not quiet:
            counts = ", ".join(f"{count:,} {name}" for name, count in sorted(job.outcomes.items()) if count)
            self.console.print(f"{job.file_name}: {counts or 'nothing in it'}.", markup=False)


def _parts(found: Iterator[Line]) -> Iterator[list[Line]]:
    while part := list(islice(found, BATCH)):
        yield part
