"""Archive the WAL as it is written."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from ledger import commands
from walletproject.backups import archive
from walletproject.backups.failures import BackupError
from walletproject.backups.source import Source


class Command(commands.Command):
    """Runs until it is stopped; exit code 1 when it can't begin."""

    help = (
        "Keep in FOLDER/wal all that the server writes to its WAL, as it is written, so that backups in FOLDER restore"
        " to any moment. Runs until it is stopped, and goes on where it was when it is started again: the server keeps"
        " what isn't archived yet. It becomes PostgreSQL's own pg_receivewal."
    )
    examples = """
  manage.py archive_wal /srv/backups          beside the backups; let a service manager keep it running
  manage.py archive_wal /srv/backups --quiet  nothing but what goes wrong
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the backups are kept")

    def handle(self, *args: Any, **options: Any) -> None:
        source, folder = Source(settings.DATABASE_BACKUP_URL), options["folder"].resolve()
        try:
            programs = archive.prepare(source, folder, programs=settings.PG_BIN)
        except BackupError as failure:
            raise CommandError(str(failure)) from failure
        if not options["quiet"]:
            self.console.print(f"The WAL is archived in {folder / archive.WAL}, from now on. Ctrl-C stops it.")
        archive.follow(source, folder, programs)
