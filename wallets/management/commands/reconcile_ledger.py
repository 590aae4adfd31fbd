"""Prove the books, and that the product agrees with them."""

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ledger import commands, verifications, verify
from ledger.verify import Finding
from wallets import agreement


class Command(commands.Command):
    """Exit code 0 when all is right, 1 with a precise report when it isn't."""

    help = (
        "Prove all the laws of the ledger, and that each of the product's movements is in the books, and each of theirs"
        " in the product. Changes nothing. Exit code 1 if anything is wrong."
    )
    examples = """
  manage.py reconcile_ledger               laws and facts
  manage.py reconcile_ledger --facts-only  only what the ledger itself can't know
  manage.py reconcile_ledger --quiet       only what is wrong
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--facts-only", action="store_true", help="leave the laws to verify_ledger")

    def handle(self, *args: Any, **options: Any) -> None:
        quiet, wrong = options["quiet"], []
        laws = () if options["facts_only"] else verify.checks()
        with commands.progress(len(laws) + len(agreement.FACTS), quiet=quiet) as advance:

            def told(found: Finding | agreement.Finding) -> None:
                advance(found.check.says)
                wrong.append(found.total)
                self.tell(found.check.says, found.total, found.shown, quiet=quiet)

            if laws:
                verifications.prove(clock=timezone.now, told=told)
            for finding in agreement.check():
                told(finding)
        if any(wrong):
            self.console.print(f"[bold red]{sum(wrong)} offenders.[/] Post nothing by hand: docs/operations.md.")
            sys.exit(1)
        if not quiet:
            self.console.print("[bold green]The product and the books agree.[/]")
