"""Usage in the back office: what is metered and what it costs, what it leaves of wallets, what a person must judge."""

from wallets.admin.usage import accounts, differences, meters, prices, quarantine, recalculations, settlements, watching

__all__ = ["accounts", "differences", "meters", "prices", "quarantine", "recalculations", "settlements", "watching"]
