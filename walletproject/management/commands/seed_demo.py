"""Make the demo data once, and say how to log in."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from walletproject import demo


class Command(BaseCommand):
    """Prints the demo logins and a transfer that works, as JSON."""

    help = "Make the demo data, once, and print its logins as JSON. Refused with DJANGO_ENV=production."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show", action="store_true", help="only print what is there")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demo accounts have well-known passwords; they are not for production.")
        if not options["show"] and not demo.is_seeded():
            demo.seed(now=timezone.now())
        self.stdout.write(json.dumps(demo.shown()))
