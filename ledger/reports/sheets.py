"""The balance sheet and the income statement, for each currency: what there is and whose it is, and how it came."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import NamedTuple

from ledger.reports.figures import Movement, figures, movements

# The types of account that grow by debits.
DEBITED = ("asset", "expense")


class SheetLine(NamedTuple):
    """An account, or those that a line is folded of, with an amount on the normal side of its type."""

    code: str
    name: str
    amount: int
    accounts: int


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """One currency at the end of a day: assets = liabilities + equity + result.

    The result is what income exceeded expenses by, from the beginning: no year is closed into equity by itself.
    """

    currency: str
    assets: list[SheetLine]
    liabilities: list[SheetLine]
    equity: list[SheetLine]
    result: int


@dataclass(frozen=True, slots=True)
class IncomeStatement:
    """One currency in a period: what was earned and what was spent."""

    currency: str
    income: list[SheetLine]
    expenses: list[SheetLine]

    @property
    def result(self) -> int:
        """What income exceeds expenses by; negative for a loss."""
        return total(self.income) - total(self.expenses)


def balance_sheet(
    *, through: date | None = None, currency: str | None = None, fold: Sequence[str] = ()
) -> list[BalanceSheet]:
    """What we have, what we owe and what is left, when a day had ended, or now; a sheet for each currency."""
    told = figures(before=through, currency=currency, fold=fold)
    return [
        BalanceSheet(
            currency=name,
            assets=_lines("asset", of_currency),
            liabilities=_lines("liability", of_currency),
            equity=_lines("equity", of_currency),
            result=-sum(line.closing for line in of_currency if line.type in ("income", "expense")),
        )
        for name, of_currency in _by_currency(told)
    ]


def income_statement(
    *, since: date, until: date, currency: str | None = None, fold: Sequence[str] = ()
) -> list[IncomeStatement]:
    """What was earned and spent in a period; a statement for each currency."""
    told = [line._replace(opening=0) for line in movements(since=since, until=until, currency=currency, fold=fold)]
    return [
        IncomeStatement(name, _lines("income", of_currency), _lines("expense", of_currency))
        for name, of_currency in _by_currency(told)
    ]


def total(lines: Iterable[SheetLine]) -> int:
    """The sum of some lines, in minor units."""
    return sum(line.amount for line in lines)


def _by_currency(told: Iterable[Movement]) -> list[tuple[str, list[Movement]]]:
    return [(currency, list(lines)) for currency, lines in groupby(told, key=lambda line: line.currency)]


def _lines(type_: str, told: Iterable[Movement]) -> list[SheetLine]:
    sign = 1 if type_ in DEBITED else -1
    return [SheetLine(line.code, line.name, sign * line.closing, line.accounts) for line in told if line.type == type_]
