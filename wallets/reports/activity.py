"""What goes through: volumes by day and kind, and what is earned and spent on it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from itertools import groupby

from ledger.reports.daily import DayMovement, DayVolume, daily
from ledger.reports.daily import volumes as by_kind
from wallets.documents.document import Column, Document, Kind, Row
from wallets.reports.books import document, section
from wallets.reports.report import Parameters, Report

VOLUMES = (
    Column("Day", Kind.DATE), Column("Kind"), Column("Transactions", Kind.NUMBER), Column("Amount", Kind.MONEY),
)  # fmt: skip
FEES = (
    Column("Day", Kind.DATE), Column("From customers", Kind.MONEY), Column("To providers", Kind.MONEY),
    Column("Left", Kind.MONEY),
)  # fmt: skip
EARNED, SPENT = "income:fees", "expenses:provider_fees"


def volumes(parameters: Parameters) -> Document:
    """How many transactions of each kind there were on each day, and how much they moved."""
    assert parameters.since and parameters.until
    found = by_kind(since=parameters.since, until=parameters.until, currency=parameters.currency or None)
    told = [(currency, list(of)) for currency, of in groupby(found, key=lambda line: line.currency)]
    sections = [section(currency, VOLUMES, partial(_volumes, of)) for currency, of in told]
    return document("Volumes", "volumes", parameters, sections, columns=VOLUMES)


def _volumes(lines: Sequence[DayVolume]) -> Iterator[Row]:
    for line in lines:
        yield Row((line.day, line.kind, line.transactions, line.amount))
    yield Row(
        (None, "Total", sum(line.transactions for line in lines), sum(line.amount for line in lines)), strong=True
    )


def fees(parameters: Parameters) -> Document:
    """What customers paid us on each day, what providers took, and what is left of it."""
    assert parameters.since and parameters.until
    found = daily(since=parameters.since, until=parameters.until, below=(EARNED, SPENT))
    wanted = sorted({line.currency for line in found if parameters.currency in ("", line.currency)})
    sections = [
        section(currency, FEES, partial(_fees, [line for line in found if line.currency == currency]))
        for currency in wanted
    ]
    return document("Fees", "fees", parameters, sections, columns=FEES)


def _fees(lines: Sequence[DayMovement]) -> Iterator[Row]:
    earned = spent = 0
    for day, of in groupby(lines, key=lambda line: line.day):
        came, went = _of_a_day(of)
        earned, spent = earned + came, spent + went
        yield _row(day, came, went)
    yield _row(None, earned, spent, strong=True)


def _of_a_day(lines: Iterable[DayMovement]) -> tuple[int, int]:
    sums = {EARNED: 0, SPENT: 0}
    for line in lines:
        sums[line.below] += line.debits - line.credits
    return -sums[EARNED], sums[SPENT]


def _row(day: date | None, earned: int, spent: int, *, strong: bool = False) -> Row:
    return Row((day, earned, spent, earned - spent), strong)


VOLUME = Report(
    "volumes", "Volumes", "How many transactions of each kind there were, and how much they moved.",
    ("since", "until"), volumes,
)  # fmt: skip
FEE = Report("fees", "Fees", "What customers paid us, what providers took, and what is left.", ("since", "until"), fees)
