"""The product in the back office, to look at: wallets, money in, across and out."""

from wallets.admin import incoming, movements, payouts, snapshots, wallets

__all__ = ["incoming", "movements", "payouts", "snapshots", "wallets"]
