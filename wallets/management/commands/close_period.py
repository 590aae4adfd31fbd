"""Close days of the books, and seal them."""

from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from ledger import commands
from ledger.closing import NotOver, StillWriting
from ledger.seals.sealing import Head, open_days, unsealed
from ledger.seals.sealing import head as newest_head
from users.callers import System
from wallets import closing


class Command(commands.Command):
    """Exit code 0 when the days are closed and sealed, now or before; 1 when they can't be."""

    help = (
        "Close all days (in UTC) up to one: nothing is posted there any more, and what was is sealed. Prints the head"
        " of the seals. Stopped at any point, it goes on where it was when it is run again."
    )
    examples = """
  manage.py close_period                       yesterday, and whatever is open before it
  manage.py close_period --month 2026-10       all days up to the end of October
  manage.py close_period --through 2026-11-23  all days up to this one
  manage.py close_period --dry-run             only tell which days that would be
  manage.py close_period --quiet               nothing but what goes wrong: for a cron, after 00:15 UTC
"""

    def add_arguments(self, parser: CommandParser) -> None:
        until = parser.add_mutually_exclusive_group()
        until.add_argument("--through", "--day", type=commands.day, metavar="DAY", help="the last day to be closed")
        until.add_argument("--month", type=commands.month, help="the month to be closed, with all days before it")
        parser.add_argument("--dry-run", action="store_true", help="close nothing, only tell what would be")

    def handle(self, *args: Any, **options: Any) -> None:
        console, quiet = self.console, options["quiet"]
        through = options["through"] or closing.last_closable_day(timezone.now())
        if options["month"]:
            _, through = options["month"]
        days = sorted({*open_days(through), *unsealed()})
        if not quiet:
            console.print(f"To be closed and sealed: {_told(days)}.")
        try:
            closing.check_closable(through, now=timezone.now())
            head = newest_head() if options["dry_run"] else _close(through, len(days), quiet)
        except (NotOver, StillWriting) as refusal:
            raise CommandError(str(refusal)) from refusal
        if not quiet:
            console.print(f"Head of the seals: {head or 'none, there is nothing sealed yet'}")


def _close(through: date, days: int, quiet: bool) -> Head | None:
    with commands.progress(days, quiet=quiet) as advance:
        return closing.close(
            through, actor=System("close_period"), clock=timezone.now,
            told=lambda sealed: advance(f"{sealed.day} is sealed"),
        )  # fmt: skip


def _told(days: list[date]) -> str:
    return f"{days[0]} to {days[-1]}, {len(days)} days" if days else "nothing"
