from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from users.callers import System
from wallets.withdrawals import switches


class Command(BaseCommand):
    help = "Lift a pause of payouts: that of one provider, or that of all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", default=switches.EVERY, help="One provider; without it, the pause of all.")

    def handle(self, *, provider: str, **options: Any) -> None:
        lifted = switches.resume(provider=provider, actor=System("resume_payouts"), now=timezone.now())
        self.stdout.write("Payouts go on." if lifted else "There was no such pause.")
        for pause in switches.paused():
            self.stdout.write(f"Still paused: {pause}, because: {pause.reason}")
