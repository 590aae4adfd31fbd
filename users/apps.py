from typing import ClassVar

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Who is calling: people, services, and the trail of what they did."""

    name = "users"
    verbose_name = "People and services"

    # What the application's role may do with a table, where that is less than everything.
    privileges: ClassVar[dict[str, str]] = {
        "users_auditevent": "SELECT, INSERT",
        "users_signaturenonce": "SELECT, INSERT, DELETE",
    }
