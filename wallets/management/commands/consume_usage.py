"""Take usage events from Kafka."""

import signal
from collections import Counter
from threading import Event as Flag
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ledger.commands import Command as Base
from wallets.kafka.client import NotSetUp
from wallets.kafka.consumer import consume


class Command(Base):
    """Ends in order at SIGTERM and SIGINT: what it has in hand is taken, or left to the next one."""

    help = (
        "Take usage events from the topics of KAFKA_TOPICS, each of them once, until it is stopped. As many may run at"
        " once as the topics have partitions. What can't be taken is in quarantine, with its place in the topic."
    )
    examples = """
  manage.py consume_usage                  until SIGTERM or Ctrl-C
  manage.py consume_usage --until-end      until all was taken that is there now
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=1_000, help="the most events of a transaction")
        parser.add_argument("--wait", type=float, default=0.2, help="seconds to wait for so many")
        parser.add_argument("--until-end", action="store_true", help="stop when nothing is left")

    def handle(self, *args: Any, **options: Any) -> None:
        total: Counter[str] = Counter()
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
            console=Console(stderr=True), transient=True, disable=options["quiet"],
        ) as bar:  # fmt: skip
            task = bar.add_task("joining the group")

            def told(counts: Counter[str], lag: int) -> None:
                total.update(counts)
                bar.update(task, description=f"{_words(total)}; {lag:,} waiting")

            try:
                consume(
                    _until_stopped(), clock=timezone.now, told=told, batch=options["batch"], wait=options["wait"],
                    until_end=options["until_end"],
                )  # fmt: skip
            except NotSetUp as refusal:
                raise CommandError(str(refusal), returncode=2) from refusal
        if not options["quiet"]:
            self.console.print(f"{_words(total)}.", markup=False)


def _words(total: Counter[str]) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(total.items())) or "nothing came"


def _until_stopped() -> Flag:
    stop = Flag()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
