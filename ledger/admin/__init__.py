"""The books in the back office, to look at: accounts, transactions, holds, closed days, and proofs."""

from ledger.admin import accounts, holds, seals, transactions, verifications

__all__ = ["accounts", "holds", "seals", "transactions", "verifications"]
