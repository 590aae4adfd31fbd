"""Write statements as files: of one wallet, of an account of ours, or of every wallet."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from ledger import commands
from users.validation import ValidationError
from wallets.access import NotFound
from wallets.documents import formats
from wallets.models import Wallet
from wallets.reports.registry import REPORTS
from wallets.reports.report import Parameters


class Command(commands.Command):
    """Exit code 0 when the files are there, 1 when something isn't found or makes no sense."""

    help = (
        "Write the statement of a wallet, of an account of ours, or of every wallet, as a file: opening balance, every"
        " line with the balance after it, closing balance. Days are in UTC. Stopped at any point, --all goes on where"
        " it was: what is there isn't written again."
    )
    examples = """
  manage.py export_statement 01a20ee5-dcd0-74d9-80ab-8fb9a00f6efd --month 2026-10
  manage.py export_statement income:fees:NGN --since 2026-01-01 --until 2026-03-31 --format xlsx
  manage.py export_statement --all --month 2026-10 --format pdf --into /srv/statements/2026-10
  manage.py export_statement --all --month 2026-10 --into /srv/statements --dry-run    only tell how many
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("whose", nargs="?", metavar="WALLET|ACCOUNT", help="a wallet's ID or an account's code")
        parser.add_argument("--all", action="store_true", help="every wallet that was there by then")
        parser.add_argument("--month", type=commands.month, help="all its days, such as 2026-10")
        parser.add_argument("--since", type=commands.day, metavar="DAY", help="the first day")
        parser.add_argument("--until", type=commands.day, metavar="DAY", help="the last day")
        parser.add_argument("--format", choices=tuple(formats.TYPES), default="csv")
        parser.add_argument("--into", type=Path, default=Path(), metavar="FOLDER", help="where the files go; here")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, only tell how many there would be")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = options["month"] or (options["since"], options["until"])
        if bool(options["whose"]) == options["all"] or not (since and until):
            raise CommandError("Say whose, or --all; and a --month, or --since and --until.")
        folder, quiet = options["into"], options["quiet"]
        count = _count(until) if options["all"] else 1
        if options["dry_run"]:
            self.console.print(f"{count:,} files would be in {folder.resolve()}.")
            return
        folder.mkdir(parents=True, exist_ok=True)
        asked = _every(since, until) if options["all"] else [_asked(options["whose"], since, until)]
        written = 0
        with commands.progress(count, quiet=quiet) as advance:
            for slug, parameters in asked:
                written += _write(slug, parameters, options["format"], folder, again=not options["all"])
                advance(f"{parameters.wallet or parameters.account}")
        if not quiet:
            self.console.print(f"{written:,} files were written into {folder.resolve()}.")


def _asked(whose: str, since: date, until: date) -> tuple[str, Parameters]:
    try:
        return "wallet-statement", Parameters(since, until, wallet=UUID(whose))
    except ValueError:
        return "general-ledger", Parameters(since, until, account=whose)


def _every(since: date, until: date) -> Iterator[tuple[str, Parameters]]:
    for id in _there(until).order_by("id").values_list("pk", flat=True).iterator():
        yield "wallet-statement", Parameters(since, until, wallet=id)


def _count(until: date) -> int:
    return int(_there(until).count())


def _there(until: date) -> Any:
    return Wallet.objects.filter(created_at__date__lte=until)


def _write(slug: str, parameters: Parameters, format: str, folder: Path, *, again: bool) -> bool:
    """Write one file, unless it is there and needn't be written again. Returns whether it was."""
    try:
        REPORTS[slug].check(parameters)
        document = REPORTS[slug].build(parameters)
        path = folder / f"{document.stem}.{format}"
        if path.exists() and not again:
            return False
        formats.write(document, format, path)
    except (NotFound, ValidationError) as refusal:
        raise CommandError(str(refusal)) from refusal
    return True
