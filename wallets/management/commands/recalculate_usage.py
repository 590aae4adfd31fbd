"""Count usage again from raw events."""

import sys
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from ledger.commands import Command as Base
from ledger.commands import day, progress
from users.callers import System
from users.validation import ValidationError
from wallets.models import UsageDifference, UsageRecalculation
from wallets.usage import rebuilding, recalculation
from wallets.usage.recounting import Months


class Command(Base):
    """Exit code 0 when nothing differs, 1 when something does."""

    help = (
        "Count months again from raw events and hold them against what stands there. Nothing is changed: a difference"
        " is repaired in the back office, by a posting. A job that was interrupted goes on by its id."
        " Exit code 0 when nothing differs; 1 when something does; 2 when it was asked for wrongly."
    )
    examples = """
  manage.py recalculate_usage                                every wallet, as far as events are kept
  manage.py recalculate_usage --since 2026-03-01 --wallet 01900000-0000-7000-8000-000000000000
  manage.py recalculate_usage --resume 01900000-0000-7000-8000-000000000001
  manage.py recalculate_usage --wallet 0190… --rebuild       and make its minutes anew, for series and estimates
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wallet", type=UUID, help="one wallet; without it, all of them")
        parser.add_argument("--since", type=day, help="a day of the first month; the first that can be without it")
        parser.add_argument("--until", type=day, help="a day of the last month; this one without it")
        parser.add_argument("--resume", type=UUID, help="go on with a job that was interrupted")
        parser.add_argument("--rebuild", action="store_true", help="make the minutes of one wallet anew")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rebuild"] and options["wallet"] is None:
            raise CommandError("Minutes are made anew wallet by wallet; name one with --wallet.", returncode=2)
        job = self._job(options)
        with progress(job.wallets_total - job.wallets_done, quiet=options["quiet"]) as advance:
            done = job.wallets_done
            while recalculation.step(job, now=timezone.now()):
                for number in range(done, job.wallets_done):
                    advance(f"{number + 1:,} of {job.wallets_total:,} wallets")
                done = job.wallets_done
        if options["rebuild"]:
            rebuilding.rebuild(options["wallet"], Months(job.since, job.until))
        self._tell_job(job, quiet=options["quiet"])
        if job.differences:
            sys.exit(1)

    def _job(self, options: dict[str, Any]) -> UsageRecalculation:
        if options["resume"]:
            found = UsageRecalculation.objects.filter(pk=options["resume"], state="running").first()
            if found is None:
                raise CommandError("No such job is under way.", returncode=2)
            return found
        try:
            return recalculation.begin(
                by=System("recalculate_usage"), now=timezone.now(), since=options["since"], until=options["until"],
                wallet_id=options["wallet"], queued=False,
            )  # fmt: skip
        except ValidationError as error:
            raise CommandError(str(error), returncode=2) from error

    def _tell_job(self, job: UsageRecalculation, *, quiet: bool) -> None:
        found = UsageDifference.objects.filter(recalculation=job).select_related("meter").order_by("pk")
        shown = [
            f"{each.wallet_id} {each.meter} {each.month:%Y-%m}: {each.amount} stands there, events come to"
            f" {each.counted_amount}"
            for each in found[:20]
        ]
        what = f"{job.events:,} events of {job.wallets_done:,} wallets, {job.since:%Y-%m} to {job.until:%Y-%m}"
        self.tell(what, job.differences, shown, quiet=quiet)
