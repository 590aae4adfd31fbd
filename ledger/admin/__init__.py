"""The books in the back office, to look at: accounts, transactions with their entries, and holds."""

from ledger.admin import accounts, holds, transactions

__all__ = ["accounts", "holds", "transactions"]
