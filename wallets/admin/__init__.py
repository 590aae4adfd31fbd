"""The product in the back office: wallets, money in, across and out, rules, usage, and what needs two."""

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
    usage,
    wallets,
)

__all__ = [
    "accounts", "backups", "closing", "exports", "incoming", "movements", "payouts", "people", "proposals",
    "reconciliation", "rules", "snapshots", "switches", "transactions", "usage", "wallets",
]  # fmt: skip
