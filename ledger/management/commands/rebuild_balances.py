"""Hold the kept balances against the entries, and make them anew where they differ."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError

from ledger import commands, rebuild, sql
from ledger.rebuild import Day, Irreparable, Lane


class Command(commands.Command):
    """Exit code 0 when all balances are what the entries say, now or after the repair; 1 when they aren't."""

    help = (
        "Count all balances anew from the entries, those of now and those of sealed days, and report what differs."
        " With --apply, repair it in one transaction for which postings wait. Entries are never touched."
        " Only the tables' owner can: the application's role may not write what is held, nor a sealed day."
    )
    examples = """
  manage.py rebuild_balances                           report what differs; exit code 1 if anything does
  manage.py rebuild_balances --apply --database owner  and repair it
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="repair what differs")
        parser.add_argument("--database", default="default", choices=("default", "owner"), help="whose connection")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["apply"] and options["database"] != rebuild.OWNER:
            raise CommandError("Only the owner of the tables may repair balances; add --database owner.")
        differing = _repaired() if options["apply"] else _differing(options["database"])
        for difference in differing:
            self.console.print(f"[red]✗[/] {difference}")
        if differing and not options["apply"]:
            sys.exit(1)
        if not options["quiet"]:
            told = f"{len(differing)} balances were repaired." if differing else "All balances are right."
            self.console.print(told)


def _differing(database: str) -> list[Lane | Day]:
    with sql.using(database), sql.snapshot():
        return [*rebuild.differing_lanes(), *rebuild.differing_days()]


def _repaired() -> list[Lane | Day]:
    try:
        return [difference for differing in rebuild.repair() for difference in differing]
    except (Irreparable, IntegrityError) as refusal:
        raise CommandError(str(refusal)) from refusal
