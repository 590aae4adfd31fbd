import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from users import clients
from users.callers import System


class Command(BaseCommand):
    help = "Make a service client; prints its key id and secret as JSON, this once and never again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--scope", action="append", default=[], dest="scopes", choices=clients.SCOPES, help="May be given again."
        )

    def handle(self, *, name: str, scopes: list[str], **options: Any) -> None:
        actor = System("create_api_client")
        try:
            made = clients.create_api_client(name=name, scopes=scopes, actor=actor, now=timezone.now())
        except clients.ClientError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"key_id": made.key_id, "secret": made.secret}))
