"""Reports over all accounts, by the dates on which transactions take effect; wherever they can, from sealed days.

Days are in UTC, and both ends of a period are in it. Amounts are in minor units.
"""

from ledger.reports.figures import Movement, movements
from ledger.reports.general import AccountLedger, LedgerLine, general_ledger
from ledger.reports.sheets import BalanceSheet, IncomeStatement, SheetLine, balance_sheet, income_statement
from ledger.reports.trial import TrialLine, trial_balance

__all__ = [
    "AccountLedger",
    "BalanceSheet",
    "IncomeStatement",
    "LedgerLine",
    "Movement",
    "SheetLine",
    "TrialLine",
    "balance_sheet",
    "general_ledger",
    "income_statement",
    "movements",
    "trial_balance",
]
