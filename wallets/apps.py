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
        # What a statement says stays as it came; only how far it is explained may change.
        "wallets_statement": "SELECT, INSERT, UPDATE (new_lines)",
        "wallets_statementline": "SELECT, INSERT, UPDATE (status, match_id, found_id, by_hand)",
        "wallets_booksitem": "SELECT, INSERT, UPDATE (match_id, found_id, by_hand)",
        "wallets_match": "SELECT, INSERT, UPDATE (undone_by, undone_because, undone_at)",
        "wallets_break": "SELECT, INSERT, UPDATE",
        "wallets_breaknote": "SELECT, INSERT",
        "wallets_reconciledaccount": "SELECT, INSERT, UPDATE",
        "wallets_reconciliation": "SELECT, INSERT",
        "wallets_carriedfee": "SELECT, INSERT, UPDATE",
        "wallets_payoutattempt": "SELECT, INSERT, UPDATE",
        "wallets_withdrawalstep": "SELECT, INSERT",
        # Who asked for what stays as it was; only what came of it is written later.
        "wallets_proposal": (
            "SELECT, INSERT, UPDATE (status, decided_by_id, decided_at, decided_because, transaction_id)"
        ),
        "wallets_mailedhead": "SELECT, INSERT, DELETE",
        "wallets_meter": "SELECT, INSERT, UPDATE (name, unit, is_active)",
        # A price that is announced may be taken back; one that is in effect only ends.
        "wallets_meterprice": "SELECT, INSERT, DELETE, UPDATE (ends_at)",
        "wallets_usageevent": "SELECT, INSERT",
        "wallets_usageeventkey": "SELECT, INSERT, DELETE",
        "wallets_quarantinedevent": ("SELECT, INSERT, DELETE, UPDATE (state, decided_by, decided_because, decided_at)"),
        "wallets_usagemonth": (
            "SELECT, INSERT, UPDATE (quantity, events, latest_at, amount, settled_quantity, settled_amount)"
        ),
        "wallets_usageaccount": "SELECT, INSERT, UPDATE",
        "wallets_usagesettlement": "SELECT, INSERT",
        "wallets_usagereservation": "SELECT, INSERT, UPDATE (status, captured, transaction_id, closed_at)",
        "wallets_usagerecalculation": "SELECT, INSERT, UPDATE",
        "wallets_usagedifference": (
            "SELECT, INSERT, UPDATE (state, settlement_id, decided_by, decided_because, decided_at)"
        ),
        "wallets_backup": (
            "SELECT, INSERT, UPDATE (ended_at, folder, size, wal_position, verified, trouble, rehearsed_at, removed_at)"
        ),
    }
    # What it may have done by the owner: partitions of events are made ahead, and dropped when they are old; transfers
    # that were written ahead, and refused, are taken back.
    functions: ClassVar[tuple[str, ...]] = (
        "wallets_take_back_transfers(uuid[])",
        "wallets_make_usage_partitions(date, integer)",
        "wallets_drop_usage_partitions(date)",
    )

    def ready(self) -> None:
        """The audit trail is sealed with the books."""
        from ledger.seals.parts import parts
        from wallets.closing import AUDIT

        parts.append(AUDIT)
