"""Import a statement of a provider or a bank."""

import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ledger import commands
from users.callers import System
from wallets.currencies import exponent
from wallets.documents.document import major
from wallets.opening import InvalidState
from wallets.reconciliation import accounts, importing
from wallets.reconciliation.accounts import NoSuchClearing
from wallets.reconciliation.formats import cells, files
from wallets.reconciliation.formats.cells import CellRefused
from wallets.reconciliation.formats.lines import StatementRefused
from wallets.reconciliation.importing import Imported, Upload


class Command(commands.Command):
    """All of the file or nothing; the same file twice changes nothing."""

    help = (
        "Import a statement: all of it or nothing, each line once however many files tell it. Exit code 0 when it is"
        " imported, now or before; 1 when it is refused, and nothing of it was kept; 2 when it was asked for wrongly,"
        " or while another import or run of the account is under way."
    )
    examples = """
  manage.py import_statement march.csv --account paystack:NGN --mapping standard --dry-run
  manage.py import_statement march.xlsx --account flutterwave:NGN --mapping flutterwave --closing 1204500.50
  manage.py import_statement 0303.sta --account gtbank:NGN --format mt940
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--account", required=True, help="the clearing account, as provider:CURRENCY")
        parser.add_argument("--format", choices=files.FORMATS, help="without it, by the file's name")
        parser.add_argument("--mapping", default="", help="how to read csv and xlsx; standard without it")
        parser.add_argument("--opening", help="the balance before it, where the file states none, such as 1234.50")
        parser.add_argument("--closing", help="the balance after it, likewise")
        parser.add_argument("--dry-run", action="store_true", help="read and check it, and keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        console = self.console
        upload = _upload(options)
        try:
            imported = _import(upload, options["dry_run"], options["quiet"])
        except StatementRefused as refusal:
            for trouble in refusal.troubles:
                console.print(f"[red]✗[/] {escape(upload.name)}, {escape(str(trouble))}", highlight=False)
            console.print("Nothing of it was kept.")
            sys.exit(1)
        except InvalidState as busy:
            raise CommandError(str(busy), returncode=2) from busy
        if not options["quiet"]:
            _tell(console, upload, imported, options["dry_run"])


def _upload(options: dict[str, Any]) -> Upload:
    path: Path = options["file"]
    format = options["format"] or files.format_of(path.name)
    if format is None:
        raise CommandError(f"{path.name} doesn't tell its format; name it with --format.", returncode=2)
    try:
        provider, currency = accounts.parsed(options["account"])
        opening, closing = (_minor(options[name], currency) for name in ("opening", "closing"))
        content = path.read_bytes()
    except (NoSuchClearing, CellRefused, OSError) as error:
        raise CommandError(str(error), returncode=2) from error
    return Upload(provider, currency, path.name, content, format, options["mapping"], opening, closing)


def _minor(text: str | None, currency: str) -> int | None:
    try:
        return None if text is None else cells.minor(Decimal(text), currency)
    except InvalidOperation:
        raise CellRefused(f"{text} is no balance; write it such as 1234.50.") from None


def _import(upload: Upload, dry_run: bool, quiet: bool) -> Imported:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True, disable=quiet,
    ) as progress:  # fmt: skip
        task = progress.add_task(f"reading {upload.name}", total=None)
        file = importing.read(upload)
        progress.update(task, description="storing its lines", total=len(file.lines))
        return importing.store(
            upload, file, by=System("import_statement"), now=timezone.now(), dry_run=dry_run,
            told=lambda done: progress.update(task, completed=done),
        )  # fmt: skip


def _tell(console: Console, upload: Upload, imported: Imported, dry_run: bool) -> None:
    statement = imported.statement
    if not imported.fresh:
        console.print(f"The same file was imported before, at {statement.imported_at:%Y-%m-%d %H:%M} UTC.")
        return
    kept = "would be new" if dry_run else "are new"
    more = {"of them have another status now": imported.changed, "rows were passed over": imported.passed_over}
    told = [f"{imported.known_lines:,} were known", *(f"{count:,} {words}" for words, count in more.items() if count)]
    console.print(
        f"[green]✓[/] {escape(upload.name)}, {statement.first_on} to {statement.last_on}: {statement.lines:,} lines,"
        f" {statement.new_lines:,} {kept}, {', '.join(told)}."
    )
    balances = (statement.opening_balance, statement.closing_balance)
    if None not in balances:
        told = [f"{major(balance or 0, exponent(upload.currency)):,}" for balance in balances]
        console.print(f"It opens with {told[0]} and closes with {told[1]} {upload.currency}; its lines lead there.")
