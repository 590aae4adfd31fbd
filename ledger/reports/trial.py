"""The trial balance: every account with its balance, as a debit or as a credit. The two columns have one sum."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ledger.reports.figures import Movement, figures


class TrialLine(NamedTuple):
    """An account's balance, or that of all which a line is folded of, as a debit or as a credit."""

    code: str
    name: str
    type: str
    currency: str
    debit: int
    credit: int
    accounts: int

    @classmethod
    def of(cls, told: Movement) -> "TrialLine":
        """The line of an account as it was told."""
        debit, credit = max(told.closing, 0), max(-told.closing, 0)
        return cls(told.code, told.name, told.type, told.currency, debit, credit, told.accounts)


def trial_balance(
    *, through: date | None = None, currency: str | None = None, fold: Sequence[str] = ()
) -> list[TrialLine]:
    """Every account with its balance when a day had ended, or now. Debits equal credits in each currency.

    What is under a code in `fold` is told together, as one line: `liabilities:wallets`, for a million wallets.
    """
    return [TrialLine.of(told) for told in figures(before=through, currency=currency, fold=fold)]
