"""Print the trial balance, for a person, a spreadsheet or a program."""

import csv
import json
import sys
from collections.abc import Sequence
from typing import IO, Any, cast

from django.core.management.base import CommandParser
from rich.table import Table

from ledger import commands
from ledger.reports import TrialLine, trial_balance

COLUMNS = ("code", "type", "currency", "debit", "credit", "accounts")


class Command(commands.Command):
    """Exit code 0 when debits equal credits in each currency, 1 when they don't."""

    help = (
        "Print every account with its balance, in minor units, when a day (in UTC) had ended, or now."
        " Exit code 1 if debits and credits differ."
    )
    examples = """
  manage.py trial_balance                                  now
  manage.py trial_balance --through 2026-10-31             when October had ended
  manage.py trial_balance --fold liabilities:wallets       all wallets as one line
  manage.py trial_balance --currency NGN --format csv      for a spreadsheet
  manage.py trial_balance --quiet                          only whether it balances: for a cron
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--through", type=commands.day, metavar="DAY", help="the last day that is in it")
        parser.add_argument("--currency", help="only its accounts")
        parser.add_argument("--fold", action="append", default=[], metavar="CODE", help="what is under it as one line")
        parser.add_argument("--format", choices=("table", "csv", "json"), default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = trial_balance(through=options["through"], currency=options["currency"], fold=options["fold"])
        if not options["quiet"]:
            {"table": self._table, "csv": self._csv, "json": self._json}[options["format"]](lines)
        off = [currency for currency, (debit, credit) in _totals(lines).items() if debit != credit]
        if off:
            self.stderr.write(f"Debits and credits differ in {', '.join(off)}; verify_ledger says where.")
            sys.exit(1)

    def _table(self, lines: Sequence[TrialLine]) -> None:
        table = Table("Account", "Type", "Currency")
        for heading in ("Debit", "Credit"):
            table.add_column(heading, justify="right")
        for line in lines:
            table.add_row(line.code, line.type, line.currency, _amount(line.debit), _amount(line.credit))
        for currency, totals in _totals(lines).items():
            table.add_section()
            table.add_row("", "", f"[bold]{currency}[/]", *(f"[bold]{total:,}[/]" for total in totals))
        self.console.print(table, crop=False)

    def _csv(self, lines: Sequence[TrialLine]) -> None:
        # Without the names: people choose them, and a spreadsheet may take one for a formula.
        writer = csv.writer(cast(IO[str], self.stdout))
        writer.writerow(COLUMNS)
        writer.writerows([getattr(line, column) for column in COLUMNS] for line in lines)

    def _json(self, lines: Sequence[TrialLine]) -> None:
        self.stdout.write(json.dumps([line._asdict() for line in lines], indent=2))


def _totals(lines: Sequence[TrialLine]) -> dict[str, tuple[int, int]]:
    """The sums of debits and of credits of each currency."""
    totals: dict[str, tuple[int, int]] = {}
    for line in lines:
        debit, credit = totals.get(line.currency, (0, 0))
        totals[line.currency] = debit + line.debit, credit + line.credit
    return totals


def _amount(amount: int) -> str:
    return f"{amount:,}" if amount else ""
