"""The product in the back office, to look at: wallets, money in, across and out."""

from wallets.admin import movements, payouts, snapshots, wallets

__all__ = ["movements", "payouts", "snapshots", "wallets"]
