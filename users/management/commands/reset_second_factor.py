from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from users import second_factor
from users.callers import System
from users.models import User


class Command(BaseCommand):
    help = "Forget the authenticator and recovery codes of somebody who has lost both; they set up a new one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *, email: str, **options: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"There is nobody with the email {email}.")
        second_factor.reset(user, actor=System("reset_second_factor"), now=timezone.now())
        self.stdout.write(f"{user.email} sets up a new second factor when they log in next.")
