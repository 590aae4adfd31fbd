"""Write out a wallet's usage events, or what they come to."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.core.management.base import CommandError, CommandParser

from ledger import commands
from wallets.clickhouse.tables import NotSetUp
from wallets.usage.amounts import written
from wallets.usage.stores import Stored, Used, store

STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


class Command(commands.Command):
    """From ClickHouse where there is a copy, which reaches back further; else from PostgreSQL."""

    help = "Write a wallet's usage events between two days as NDJSON, as they were taken, or their sums by hour or day."
    examples = """
  manage.py export_usage 0190…c3 --since 2024-01-01 --until 2024-12-31 > 2024.ndjson
  manage.py export_usage 0190…c3 --since 2024-01-01 --until 2026-12-31 --by day
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("wallet", type=UUID)
        parser.add_argument("--since", type=commands.day, required=True, metavar="DAY", help="the first day (UTC)")
        parser.add_argument("--until", type=commands.day, required=True, metavar="DAY", help="the last day")
        parser.add_argument("--by", choices=STEPS, help="sums instead of events")

    def handle(self, *args: Any, **options: Any) -> None:
        since = datetime.combine(options["since"], time(), UTC)
        until = datetime.combine(options["until"], time(), UTC) + timedelta(days=1)
        try:
            found = store()
        except NotSetUp as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        wallet = options["wallet"]
        rows: Iterable[Stored | Used] = (
            found.used(wallet, STEPS[options["by"]], since, until)
            if options["by"]
            else found.events(wallet, since, until)
        )
        for row in rows:
            self.stdout.write(
                msgspec.json.encode({name: _told(value) for name, value in row._asdict().items()}).decode()
            )


def _told(value: Any) -> Any:
    return written(value) if isinstance(value, Decimal) else value
