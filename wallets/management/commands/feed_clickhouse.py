"""Copy usage events to ClickHouse, and prove the copy."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ledger.commands import Command as Base
from wallets.clickhouse import feed, reconciling, tables


class Command(Base):
    """Can be stopped anywhere: it goes on behind the last batch that was noted."""

    help = (
        "Copy the usage events that ClickHouse doesn't have yet, or compare the copy with PostgreSQL day by day. Exit"
        " code 0 when it is done, and nothing differs; 1 when days differed; 2 when ClickHouse isn't set up."
    )
    examples = """
  manage.py feed_clickhouse              copy what is new
  manage.py feed_clickhouse --check      compare
  manage.py feed_clickhouse --repair     compare, and make the days that differ anew
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="copy nothing, and compare")
        parser.add_argument("--repair", action="store_true", help="compare, and copy days that differ anew")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            client = tables.connect()
        except tables.NotSetUp as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        if options["check"] or options["repair"]:
            self._compare(client, repair=options["repair"], quiet=options["quiet"])
        else:
            self._feed(client, quiet=options["quiet"])

    def _feed(self, client: Any, *, quiet: bool) -> None:
        total = 0
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
            console=Console(stderr=True), transient=True, disable=quiet,
        ) as bar:  # fmt: skip
            task = bar.add_task("copying events")
            while count := feed.feed(client, now=timezone.now()):
                total += count
                bar.update(task, description=f"{total:,} events copied")
        if not quiet:
            self.console.print(f"{total:,} events were copied.")

    def _compare(self, client: Any, *, repair: bool, quiet: bool) -> None:
        found = reconciling.differences(client, now=timezone.now())
        for each in found:
            ours, copy = (f"{sums.events:,} events of {sums.quantity:,f}" for sums in (each.ours, each.copy))
            self.console.print(f"[red]✗[/] {each.day}: {ours} in PostgreSQL, {copy} in ClickHouse")
        if found and repair:
            count = reconciling.repair(client, found, now=timezone.now())
            self.console.print(f"{len(found):,} days were made anew, {count:,} events.")
        if found:
            sys.exit(1)
        if not quiet:
            self.console.print("[green]✓[/] Every day that PostgreSQL has is the same in ClickHouse.")
