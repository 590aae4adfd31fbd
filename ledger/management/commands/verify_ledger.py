"""Prove all the laws of the books over all rows."""

import sys
from time import monotonic
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ledger import verify

EXAMPLES = """
examples:
  manage.py verify_ledger            every law, every row; exit code 1 if any is broken
  manage.py verify_ledger --quiet    only what is wrong: for a cron
"""


class Command(BaseCommand):
    """Exit code 0 when every law holds, 1 with a precise report when one doesn't."""

    help = "Prove all the laws of the ledger over all rows, on one snapshot. Exit code 1 if any is broken." + EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print only what is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout), soft_wrap=True)
        started, broken = monotonic(), 0
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
            console=Console(stderr=True), transient=True, disable=options["quiet"],
        ) as progress:  # fmt: skip
            task = progress.add_task("reading the books", total=len(verify.checks()))
            for finding in verify.verify():
                progress.update(task, advance=1, description=finding.check.says)
                broken += finding.total
                self._tell(console, finding, options["quiet"])
        if broken:
            console.print(f"[bold red]{broken} offenders.[/] Post nothing by hand: docs/operations.md says what to do.")
            sys.exit(1)
        if not options["quiet"]:
            rows = ", ".join(f"{count:,} {name}" for name, count in verify.size().items())
            console.print(f"[bold green]The books are clean[/]: {rows}, in {monotonic() - started:.1f} s.")

    def _tell(self, console: Console, finding: verify.Finding, quiet: bool) -> None:
        if finding.total:
            console.print(f"[red]✗[/] law {finding.check.law}: {finding.check.says}: {finding.total} broken")
            for offender in finding.shown:
                console.print(f"    {offender}")
        elif not quiet:
            console.print(f"[green]✓[/] law {finding.check.law}: {finding.check.says}")
