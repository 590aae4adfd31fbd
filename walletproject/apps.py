"""Puts the project together: who may touch which table, and what is checked before it starts."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from ledger.roles import grant


class WalletProjectConfig(AppConfig):
    """Composes the apps; it has no tables."""

    name = "walletproject"

    def ready(self) -> None:
        """After migrations the application's role gets its privileges, app by app; the ledger sees to its own.

        After the last of the apps the groups of staff are made: by then every permission is there.
        """
        from walletproject import checks, roles, staff_login  # noqa: F401

        for app in apps.get_app_configs():
            if app.name != "ledger":
                post_migrate.connect(grant, sender=app, dispatch_uid=f"grant {app.label}")
        post_migrate.connect(roles.make_groups, sender=apps.get_app_config("wallets"), dispatch_uid="groups of staff")
