from typing import ClassVar

from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"
    # A key and its effect are bound for ever; only the stored body may be let go.
    privileges: ClassVar[dict[str, str]] = {
        "wallets_idempotencykey": "SELECT, INSERT, UPDATE (body)",
        "wallets_deposit": "SELECT, INSERT",
        "wallets_balancesnapshot": "SELECT, INSERT",
        "wallets_driftalert": "SELECT, INSERT, UPDATE",
        "wallets_provideraccount": "SELECT, INSERT, UPDATE",
        # How far a queued one is may change; what was asked for may not.
        "wallets_transfer": "SELECT, INSERT, UPDATE (status, transaction_id, next_at, tries, deaths, trouble, failure)",
        "wallets_wallet": "SELECT, INSERT, UPDATE",
        "wallets_withdrawal": "SELECT, INSERT, UPDATE",
        "wallets_topup": "SELECT, INSERT, UPDATE",
        # What a provider told us stays as it came, or is let go, and what came in stays what it was.
        "wallets_webhookevent": "SELECT, INSERT, UPDATE (state, outcome, handled_at, next_at, lease, body)",
        "wallets_unmatchedreceipt": (
            "SELECT, INSERT, UPDATE (wallet_id, assigned_at, assigned_by, assigned_because, assignment_id)"
        ),
        "wallets_carriedfee": "SELECT, INSERT, UPDATE",
        "wallets_payoutattempt": "SELECT, INSERT, UPDATE",
        "wallets_withdrawalstep": "SELECT, INSERT",
    }
