"""Take a backup of the whole server, and verify it."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from ledger import commands
from walletproject.backups.failures import BackupError
from walletproject.backups.source import Source
from walletproject.backups.taking import Plan, plan, take
from wallets.models import Backup


class Command(commands.Command):
    """Exit code 0 when the backup is there and verified, 1 when it isn't."""

    help = (
        "Take a backup of the whole PostgreSQL server into FOLDER, read every file of it again, and let the oldest go."
        " It restores by itself; with the WAL that archive_wal keeps beside it, to any moment after it."
        " May be stopped at any point; what is left of it then is cleared by the next."
    )
    examples = """
  manage.py backup /srv/backups            take one, and keep the newest seven
  manage.py backup /srv/backups --keep 30  keep a month of nights
  manage.py backup /srv/backups --dry-run  only look whether it could be taken, and what would go
  manage.py backup /srv/backups --quiet    nothing but what goes wrong: for a cron, every night
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="where backups are kept, a folder for each")
        parser.add_argument("--keep", type=_number, default=7, metavar="N", help="how many are kept (7)")
        parser.add_argument("--dry-run", action="store_true", help="take none, only tell what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        source, folder, quiet = Source(settings.DATABASE_BACKUP_URL), options["folder"], options["quiet"]
        how = {"keep": options["keep"], "programs": settings.PG_BIN}
        try:
            if options["dry_run"]:
                self._tell_plan(plan(source, folder, **how), folder)
                return
            with commands.progress(200, quiet=quiet) as advance:
                made = take(source, folder, **how, clock=timezone.now, told=advance)
        except BackupError as failure:
            raise CommandError(str(failure)) from failure
        if not quiet:
            self._tell(made)

    def _tell_plan(self, planned: Plan, folder: Path) -> None:
        look = planned.look
        self.console.print(f"PostgreSQL {look.version} with {look.size:,} bytes would be saved into {folder},")
        self.console.print(f"by {planned.programs.folder}.")
        for path in planned.leaving:
            self.console.print(f"{path} would make room.")

    def _tell(self, made: Backup) -> None:
        self.console.print(f"[bold green]Saved and verified[/]: {made.size:,} bytes in {made.folder}")
        self.console.print(
            f"It restores to {made.ended_at:%Y-%m-%d %H:%M:%S} UTC, and to any later moment with the WAL."
        )


def _number(text: str) -> int:
    """How many are kept: one at least. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on: the last backup is never let go.")
    return int(text)
