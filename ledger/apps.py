from typing import ClassVar

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from ledger.roles import grant


class LedgerConfig(AppConfig):
    name = "ledger"
    # What the application's role may do. Holds move `held` and `pending` by trigger, so nobody else has to.
    privileges: ClassVar[dict[str, str]] = {
        "ledger_account": "SELECT, INSERT, UPDATE (name, parent_id)",
        "ledger_balance": "SELECT, INSERT, UPDATE (balance, version, posted_at, floor)",
        "ledger_transaction": "SELECT, INSERT",
        "ledger_entry": "SELECT, INSERT",
        "ledger_hold": "SELECT, INSERT, UPDATE (captured, status, closed_at)",
        "ledger_boundary": "SELECT, UPDATE (opens, moved_at, moved_by)",
        # A function of the owner's writes them, so that nobody else has to.
        "ledger_daybalance": "SELECT",
        "ledger_seal": "SELECT, INSERT",
        "ledger_sealedrows": "SELECT, INSERT",
        "ledger_verification": "SELECT, INSERT",
    }

    def ready(self) -> None:
        post_migrate.connect(grant, sender=self)
