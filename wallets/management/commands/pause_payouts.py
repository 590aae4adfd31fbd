from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from users.callers import System
from wallets.providers.registry import NoSuchProvider
from wallets.providing import registry
from wallets.withdrawals import switches


class Command(BaseCommand):
    help = "Send no new payouts, through one provider or through all. What was sent is asked about as before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", default=switches.EVERY, help="One provider; without it, all of them.")
        parser.add_argument("--reason", required=True, help="Why, for those who find payouts waiting.")

    def handle(self, *, provider: str, reason: str, **options: Any) -> None:
        if provider != switches.EVERY:
            _must_be_enabled(provider)
        fresh = switches.pause(
            provider=provider, reason=reason, actor=System("pause_payouts"), now=timezone.now()
        )  # fmt: skip
        self.stdout.write("Payouts are paused." if fresh else "They were paused before; that reason stays.")


def _must_be_enabled(provider: str) -> None:
    try:
        registry().get(provider)
    except NoSuchProvider as refusal:
        raise CommandError(f"{refusal} Its keys must be set in this shell too.") from refusal
