"""Prove all the laws of the books over all rows."""

import sys
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ledger import verifications, verify
from ledger.seals import chain
from ledger.seals.sealing import Head, MalformedHead

EXAMPLES = """
examples:
  manage.py verify_ledger            every law, every row; exit code 1 if any is broken
  manage.py verify_ledger --quiet    only what is wrong: for a cron
  manage.py verify_ledger --head 2026-11-23:5f2c…
                                     and whether the seals are those that led to a head which was kept elsewhere
  manage.py verify_ledger --unrecorded
                                     leave no record of it: for a standby, which can't be written to
"""


class Command(BaseCommand):
    """Exit code 0 when every law holds, 1 with a precise report when one doesn't."""

    help = "Prove all the laws of the ledger over all rows, on one snapshot. Exit code 1 if any is broken." + EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print only what is wrong")
        parser.add_argument("--head", help="a head of the seals that was kept elsewhere")
        parser.add_argument("--unrecorded", action="store_true", help="leave no record of it")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout), soft_wrap=True)
        kept = _head(options["head"])
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
            console=Console(stderr=True), transient=True, disable=options["quiet"],
        ) as progress:  # fmt: skip
            task = progress.add_task("reading the books", total=len(verify.checks()) + chain.sealed_days())

            def told(finding: verify.Finding) -> None:
                progress.update(task, advance=1, description=finding.check.says)
                self._tell(console, finding, options["quiet"])

            made = verifications.prove(
                clock=timezone.now, kept=kept, told=told, recorded=not options["unrecorded"],
                day=lambda day: progress.update(task, advance=1, description=f"the seal of {day}"),
            )  # fmt: skip
        if made.broken:
            console.print(
                f"[bold red]{made.broken} offenders.[/] Post nothing by hand: docs/operations.md has what to do."
            )
            sys.exit(1)
        if not options["quiet"]:
            rows = ", ".join(f"{count:,} {name}" for name, count in made.rows.items())
            console.print(f"[bold green]The books are clean[/]: {rows}, in {made.took.total_seconds():.1f} s.")
            console.print(f"Head of the seals: {made.head or 'none, no day is sealed yet'}")

    def _tell(self, console: Console, finding: verify.Finding, quiet: bool) -> None:
        if finding.total:
            console.print(f"[red]✗[/] law {finding.check.law}: {finding.check.says}: {finding.total} broken")
            for offender in finding.shown:
                console.print(f"    {offender}", highlight=False, markup=False)
        elif not quiet:
            console.print(f"[green]✓[/] law {finding.check.law}: {finding.check.says}")


def _head(text: str | None) -> Head | None:
    try:
        return Head.read(text) if text else None
    except MalformedHead as error:
        raise CommandError(str(error)) from error
