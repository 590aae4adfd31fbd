from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from users.housekeeping import purge


class Command(BaseCommand):
    help = "Delete refresh tokens and nonces that can't serve any more; the periodic job does the same."

    def handle(self, **options: Any) -> None:
        purged = purge(timezone.now())
        self.stdout.write(f"{purged.tokens} tokens, {purged.nonces} nonces")
