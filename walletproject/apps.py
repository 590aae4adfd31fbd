"""Puts the project together: who may touch which table, and what is checked before it starts."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connections
from django.db.models.signals import post_migrate

from ledger.roles import grant


class WalletProjectConfig(AppConfig):
    """Composes the apps; it has no tables."""

    name = "walletproject"

    def ready(self) -> None:
        """After migrations the application's role gets its privileges, app by app; the ledger sees to its own."""
        from walletproject import checks  # noqa: F401

        for app in apps.get_app_configs():
            if app.name != "ledger":
                post_migrate.connect(grant, sender=app, dispatch_uid=f"grant {app.label}")
        post_migrate.connect(_show_migrations, sender=self, dispatch_uid="show migrations")


def _show_migrations(sender: AppConfig, using: str, **_: object) -> None:
    """Let the application's role read which migrations have run, for /health/ready; that table belongs to no app."""
    role, connection = settings.DATABASE_APP_ROLE, connections[using]
    if role and connection.settings_dict["USER"] != role:
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT SELECT ON django_migrations TO {connection.ops.quote_name(role)}")
