"""The product in the back office: wallets, money in, across and out, the rules of paying out, and what needs two."""

from wallets.admin import (
    accounts,
    backups,
    closing,
    exports,
    incoming,
    movements,
    payouts,
    people,
    proposals,
    reconciliation,
    rules,
    snapshots,
    switches,
    transactions,
    wallets,
)

__all__ = [
    "accounts", "backups", "closing", "exports", "incoming", "movements", "payouts", "people", "proposals",
    "reconciliation", "rules", "snapshots", "switches", "transactions", "wallets",
]  # fmt: skip
