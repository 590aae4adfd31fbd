import signal
import sys
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wallets.simulator.server import BASES, Simulator


class Command(BaseCommand):
    help = "Run simulators of Paystack, Flutterwave and Fincra; docs/simulator.md says what they can do."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8900, help="0 is any free one.")
        parser.add_argument("--webhooks", default="", help="What they are sent to: this URL, and a provider's name.")
        parser.add_argument("--settle-seconds", type=float, default=1.0, help="How long a transfer stays pending.")
        parser.add_argument("--state", type=Path, help="A file that outlives the process; in memory without.")

    def handle(
        self, *, host: str, port: int, webhooks: str, settle_seconds: float, state: Path | None, **options: Any
    ) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        try:
            simulator = Simulator(host=host, port=port, webhooks=webhooks, settle_seconds=settle_seconds, state=state)
        except Exception as error:
            raise CommandError(f"The simulator can't start: {error}") from error
        simulator.start()
        for provider in BASES:
            self.stdout.write(f"{provider.upper()}_BASE_URL={simulator.base(provider)}")
        sys.stdout.flush()
        stop.wait()
        simulator.stop()
