import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as Invalid
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from users import staff
from users.callers import System
from users.models import User
from users.validation import ValidationError

EXAMPLES = """
examples:
  manage.py create_staff ada@example.com --role accountant             asks for a password
  manage.py create_staff ben@example.com --role approver < password    reads it from a file
"""


class Command(BaseCommand):
    """A person who exists keeps their password; their roles become those that are named."""

    help = "Make somebody staff of the back office, in one or more roles." + EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", action="append", required=True, choices=staff.ROLES, dest="roles")
        parser.add_argument("--name", default="", help="Their full name.")

    def handle(self, *, email: str, roles: list[str], name: str, **options: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        try:
            with transaction.atomic():
                user = user or User.objects.create_user(email, self._password(email), full_name=name)
                staff.give_roles(user, roles, actor=System("create_staff"), now=timezone.now())
        except ValidationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{user.email} is {' and '.join(staff.roles_of(user))} now.")

    def _password(self, email: str) -> str:
        typed = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            validate_password(typed, User(email=email))
        except Invalid as error:
            raise CommandError(" ".join(error.messages)) from error
        return typed
