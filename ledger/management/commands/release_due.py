"""Close the holds whose time has come."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ledger import commands, holds


class Command(commands.Command):
    """Exit code 0. No balance waits for it: an expired hold binds nothing, closed or not."""

    help = (
        "Close the holds that have expired, as a worker does every half minute. Tidiness only: an expired hold binds"
        " nothing from its instant on, whether or not it is closed. It may be stopped at any point."
    )
    examples = """
  manage.py release_due            close them
  manage.py release_due --dry-run  only tell how many there are
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="close nothing, only tell what would be")

    def handle(self, *args: Any, **options: Any) -> None:
        now, quiet = timezone.now(), options["quiet"]
        due = holds.due(now=now)
        if not options["dry_run"]:
            with commands.progress(due // holds.BATCH + 1, quiet=quiet) as advance:
                while freed := holds.sweep(now=now):
                    advance(f"{freed:,} accounts freed")
        if not quiet:
            left = "would be" if options["dry_run"] else "are"
            self.console.print(f"{due:,} holds have expired and {left} closed.")
