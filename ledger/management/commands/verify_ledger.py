"""Prove all the laws of the books over all rows."""

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ledger import commands, verifications, verify
from ledger.seals import chain


class Command(commands.Command):
    """Exit code 0 when every law holds, 1 with a precise report when one doesn't."""

    help = "Prove all the laws of the ledger over all rows, on one snapshot. Exit code 1 if any is broken."
    examples = """
  manage.py verify_ledger                          every law, every row, every seal
  manage.py verify_ledger --quiet                  only what is wrong
  manage.py verify_ledger --head 2026-11-23:5f2c…  and whether the seals still lead to a head kept elsewhere
  manage.py verify_ledger --unrecorded             without a record of it, on a standby that can't be written to
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--head", type=commands.head, help="a head of the seals that was kept elsewhere")
        parser.add_argument("--unrecorded", action="store_true", help="leave no record of it")

    def handle(self, *args: Any, **options: Any) -> None:
        console, quiet, kept = self.console, options["quiet"], options["head"]
        with commands.progress(len(verify.checks()) + chain.sealed_days(), quiet=quiet) as advance:

            def told(finding: verify.Finding) -> None:
                advance(finding.check.says)
                self.tell(f"law {finding.check.law}: {finding.check.says}", finding.total, finding.shown, quiet=quiet)

            made = verifications.prove(
                clock=timezone.now, kept=kept, told=told, day=lambda day: advance(f"the seal of {day}"),
                recorded=not options["unrecorded"],
            )  # fmt: skip
        if made.broken:
            console.print(
                f"[bold red]{made.broken} offenders.[/] Post nothing by hand: docs/operations.md says what to do."
            )
            sys.exit(1)
        if not quiet:
            rows = ", ".join(f"{count:,} {name}" for name, count in made.rows.items())
            console.print(f"[bold green]The books are clean[/]: {rows}, in {made.took.total_seconds():.1f} s.")
            console.print(f"Head of the seals: {made.head or 'none, no day is sealed yet'}")
