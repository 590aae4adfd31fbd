import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from users import clients
from users.callers import System


class Command(BaseCommand):
    help = "Give a service client a second live secret; prints it as JSON, this once and never again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client", help="The client's name, or the key id of one of its secrets.")
        parser.add_argument("--revoke-old", action="store_true", help="End the oldest live secret in the same step.")

    def handle(self, *, client: str, revoke_old: bool, **options: Any) -> None:
        actor = System("rotate_api_client")
        try:
            found = clients.find_client(client)
            made = clients.rotate_api_client(
                client_id=found.pk, actor=actor, revoke_oldest=revoke_old, now=timezone.now()
            )
        except clients.ClientError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"key_id": made.key_id, "secret": made.secret}))
