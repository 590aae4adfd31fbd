"""The product in the back office, wallets, money in, across and out, and the rules of paying out."""

from wallets.admin import incoming, movements, payouts, rules, snapshots, switches, wallets

__all__ = ["incoming", "movements", "payouts", "rules", "snapshots", "switches", "wallets"]
