"""Metered usage that prepaid wallets pay for: events taken once, rated by the month, settled by the minute."""
