"""The product in the back office, wallets, money in, across and out, and the rules of paying out."""

from wallets.admin import movements, payouts, rules, switches, wallets

__all__ = ["movements", "payouts", "rules", "switches", "wallets"]
