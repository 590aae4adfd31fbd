"""Restore a backup to a moment, and prove its books."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from ledger import commands
from ledger.verify import Finding
from walletproject.backups.failures import BackupError
from walletproject.backups.restoring import Restored, Watch, Wish, rehearse, restore


class Command(commands.Command):
    """Exit code 0 when it is restored and its books are clean, 1 when it can't be or they aren't."""

    help = (
        "Restore a backup into TARGET, an empty folder, recover to a moment with the archived WAL, and prove the books"
        " there. It is left stopped, and the running server isn't touched. With --rehearse it is thrown away again:"
        " the proof that backups restore."
    )
    examples = """
  manage.py restore /srv/backups/20261124T021500Z /srv/restored  one backup, and all WAL that is archived beside it
  manage.py restore /srv/backups /srv/restored --to 2026-11-24T12:00:00Z
                                                                 the newest before that moment, and the WAL up to it
  manage.py restore /srv/backups /srv/restored --wal /mnt/wal    with WAL that is elsewhere
  manage.py restore /srv/backups /srv/restored --head 2026-11-23:5f2c…
                                                                 and whether its seals lead to the head that was mailed
  manage.py restore /srv/backups --rehearse --quiet              try the newest, in TMPDIR: for a cron, every week
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, metavar="BACKUP", help="a backup, or the folder of all of them")
        parser.add_argument("target", type=Path, metavar="TARGET", nargs="?", help="an empty folder, or none yet")
        parser.add_argument("--to", type=commands.moment, metavar="MOMENT", help="as far as this; else as the WAL goes")
        parser.add_argument(
            "--wal", type=Path, metavar="FOLDER", help="where archive_wal keeps it; else beside the backup"
        )
        parser.add_argument("--head", type=commands.head, help="a head of the seals that was kept elsewhere")
        parser.add_argument(
            "--rehearse", action="store_true", help="throw away what was restored, and record that it was"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target, quiet = options["target"], options["quiet"]
        if (target is None) != options["rehearse"]:
            raise CommandError("Name the folder to restore into, or --rehearse.")
        wish = Wish(
            backup=options["backup"],
            to=options["to"],
            wal=options["wal"],
            kept=options["head"],
            programs=settings.PG_BIN,
        )
        try:
            with commands.progress(None, quiet=quiet) as advance:
                watch = Watch(advance, lambda finding: self._tell_finding(finding, quiet))
                made = (
                    restore(wish, target, clock=timezone.now, watch=watch)
                    if target
                    else rehearse(wish, clock=timezone.now, watch=watch)
                )
        except BackupError as failure:
            raise CommandError(str(failure)) from failure
        except DatabaseError as failure:
            raise CommandError(f"It is restored, and its books can't be proven: {failure}") from failure
        if not quiet:
            self._tell_restored(made, target)
        if made.proof.broken:
            self.console.print(f"[bold red]{made.proof.broken} offenders.[/] docs/operations.md says what to do.")
        if made.unreached:
            self.console.print(
                f"[bold red]The archived WAL has a gap[/] after that change: {made.unreached} couldn't be come to."
                " Restore a newer backup, if there is one."
            )
        if not made.good:
            sys.exit(1)

    def _tell_finding(self, finding: Finding, quiet: bool) -> None:
        self.tell(f"law {finding.check.law}: {finding.check.says}", finding.total, finding.shown, quiet=quiet)

    def _tell_restored(self, made: Restored, target: Path | None) -> None:
        proof = made.proof
        changed = f"{made.changed_at:%Y-%m-%d %H:%M:%S.%f} UTC" if made.changed_at else "none since the backup"
        self.console.print(f"Restored from {made.backup}. The last change in it: {changed}")
        self.console.print(", ".join(f"{count:,} {name}" for name, count in proof.rows.items()))
        if not proof.broken:
            self.console.print(f"[bold green]The books are clean.[/] Head of the seals: {proof.head or 'none'}")
        if target:
            self.console.print(HOW_TO_START.format(target=target.resolve()))


HOW_TO_START = """
To start with it, as the user who owns {target}: put it in the place of the server's data folder while the server is
stopped (with `make run`: .data/postgres/data), or `postgres -D {target}`. It archives nothing (archive_mode = off in
its postgresql.auto.conf), and where the server's configuration lies elsewhere, as Debian's does, that one counts.
From here on its history is another: begin a new folder with archive_wal and a backup."""
