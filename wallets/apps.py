from typing import ClassVar

from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"
    # A key and its effect are bound for ever; only the stored body may be let go.
    privileges: ClassVar[dict[str, str]] = {
        "wallets_idempotencykey": "SELECT, INSERT, UPDATE (body)",
        "wallets_deposit": "SELECT, INSERT",
        # How far a queued one is may change; what was asked for may not.
        "wallets_transfer": "SELECT, INSERT, UPDATE (status, transaction_id, next_at, tries, trouble, failure)",
        "wallets_wallet": "SELECT, INSERT, UPDATE",
        "wallets_withdrawal": "SELECT, INSERT, UPDATE",
        "wallets_payoutattempt": "SELECT, INSERT, UPDATE",
    }
