"""The tables of the books, one file for each subject."""

from ledger.models.books import Account, AccountType, Balance, Entry, Hold, Transaction
from ledger.models.closing import Boundary, DayBalance, Seal, SealedRows
from ledger.models.verifications import Verification

__all__ = [
    "Account",
    "AccountType",
    "Balance",
    "Boundary",
    "DayBalance",
    "Entry",
    "Hold",
    "Seal",
    "SealedRows",
    "Transaction",
    "Verification",
]
