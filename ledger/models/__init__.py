"""The tables of the books, one file for each subject."""

from ledger.models.books import Account, AccountType, Balance, Entry, Hold, Transaction

__all__ = ["Account", "AccountType", "Balance", "Entry", "Hold", "Transaction"]
