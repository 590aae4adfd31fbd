"""What the books say: trial balance, balance sheet, income statement, general ledger, and an account's statement."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby

from ledger import reports as ledger
from ledger.reports import AccountLedger, BalanceSheet, IncomeStatement, SheetLine, TrialLine
from ledger.reports.sheets import total
from users.validation import ValidationError
from wallets import chart, currencies
from wallets.documents.document import Column, Document, Kind, Row, Section
from wallets.reports.report import Parameters, Report, period, stem

# Wallets may be millions: they are told together.
FOLD = (chart.WALLETS.rstrip(":"),)
TRIAL = (
    Column("Account"), Column("Name", Kind.NOTE), Column("Type"), Column("Debit", Kind.MONEY),
    Column("Credit", Kind.MONEY),
)  # fmt: skip
SHEET = (Column("Account"), Column("Name", Kind.NOTE), Column("Amount", Kind.MONEY))
LEDGER = (
    Column("Effective (UTC)", Kind.DATE), Column("Description"), Column("Kind", Kind.NOTE),
    Column("Reference", Kind.NOTE), Column("Debit", Kind.MONEY), Column("Credit", Kind.MONEY),
    Column("Balance", Kind.MONEY),
)  # fmt: skip


def document(
    title: str,
    slug: str,
    parameters: Parameters,
    sections: Sequence[Section],
    *,
    columns: Sequence[Column],
) -> Document:
    """A report of the books: its period in the head, and a table that says so where there is nothing."""
    said = [("Period" if parameters.since else "At the end of", period(parameters)), ("Currency", parameters.currency)]
    empty = Section(columns, tuple, parameters.currency, 0, empty="There is nothing to tell.")
    return Document(
        title=title, stem=stem(slug, parameters), head=tuple((label, text) for label, text in said if text),
        lines=(parameters.currency or "All currencies",), period=period(parameters), sections=sections or [empty],
    )  # fmt: skip


def section(currency: str, columns: Sequence[Column], rows: Callable[[], Iterator[Row]], title: str = "") -> Section:
    """A table in one currency."""
    return Section(columns, rows, currency, currencies.exponent(currency), title or currency)


def named(name: str, accounts: int) -> str:
    """What stands below an account's code: its name, or how many accounts a line is of."""
    return name if accounts == 1 else f"{accounts:,} accounts"


def trial_balance(parameters: Parameters) -> Document:
    """Every account with its balance at the end of a day; debits and credits have one sum."""
    lines = ledger.trial_balance(through=parameters.until, currency=parameters.currency or None, fold=FOLD)
    told = [(currency, list(of)) for currency, of in groupby(lines, key=lambda line: line.currency)]
    sections = [
        section(currency, TRIAL, partial(_trial, of))
        for currency, of in told
        if any(line.debit or line.credit for line in of)
    ]
    return document("Trial balance", "trial-balance", parameters, sections, columns=TRIAL)


def _trial(lines: Sequence[TrialLine]) -> Iterator[Row]:
    for line in lines:
        if line.debit or line.credit:
            debit, credit = line.debit or None, line.credit or None
            yield Row((line.code, named(line.name, line.accounts), line.type.capitalize(), debit, credit))
    yield Row(("Total", "", "", sum(line.debit for line in lines), sum(line.credit for line in lines)), strong=True)


def balance_sheet(parameters: Parameters) -> Document:
    """What there is, and whose it is, at the end of a day."""
    sheets = ledger.balance_sheet(through=parameters.until, currency=parameters.currency or None, fold=FOLD)
    sections = [
        section(sheet.currency, SHEET, partial(_sheet, sheet))
        for sheet in sheets
        if any(line.amount for line in (*sheet.assets, *sheet.liabilities, *sheet.equity))
    ]
    return document("Balance sheet", "balance-sheet", parameters, sections, columns=SHEET)


def _sheet(sheet: BalanceSheet) -> Iterator[Row]:
    yield from _part("Assets", sheet.assets)
    yield from _part("Liabilities", sheet.liabilities)
    yield from _part("Equity", sheet.equity)
    yield Row(("Result so far", "income less expenses", sheet.result), strong=True)
    rest = total(sheet.liabilities) + total(sheet.equity) + sheet.result
    yield Row(("Total liabilities, equity and result", "", rest), strong=True)


def _part(title: str, lines: Sequence[SheetLine]) -> Iterator[Row]:
    for line in lines:
        if line.amount:
            yield Row((line.code, named(line.name, line.accounts), line.amount))
    yield Row((f"Total {title.lower()}", "", total(lines)), strong=True)


def income_statement(parameters: Parameters) -> Document:
    """What was earned and what was spent in a period."""
    assert parameters.since and parameters.until
    found = ledger.income_statement(
        since=parameters.since, until=parameters.until, currency=parameters.currency or None
    )
    sections = [section(one.currency, SHEET, partial(_income, one)) for one in found if one.income or one.expenses]
    return document("Income statement", "income-statement", parameters, sections, columns=SHEET)


def _income(found: IncomeStatement) -> Iterator[Row]:
    yield from _part("Income", found.income)
    yield from _part("Expenses", found.expenses)
    yield Row(("Result", "", found.result), strong=True)


def general_ledger(parameters: Parameters) -> Document:
    """Every entry of an account, or of all whose codes begin so, with the balance after it."""
    assert parameters.since and parameters.until
    if chart.WALLETS.startswith(f"{parameters.account}:") or parameters.account == FOLD[0]:
        detail = "That would be every wallet, one by one; name one wallet's account, or other accounts."
        raise ValidationError.on("account", "too_many", detail)
    found = ledger.general_ledger(parameters.account, since=parameters.since, until=parameters.until)
    wanted = [one for one in found if parameters.currency in ("", one.movement.currency)]
    sections = [section(one.movement.currency, LEDGER, partial(_entries, one), one.movement.code) for one in wanted]
    return document("General ledger", "general-ledger", parameters, sections, columns=LEDGER)


def _entries(found: AccountLedger) -> Iterator[Row]:
    """On the account's normal side: a liability that grows is shown as growing."""
    move = found.movement
    sign = 1 if move.type in ("asset", "expense") else -1
    yield Row((found.since, "Opening balance", "", "", None, None, sign * move.opening), strong=True)
    for line in found.lines():
        debit, credit = max(line.amount, 0) or None, max(-line.amount, 0) or None
        yield Row((
            line.effective_at, line.description, line.kind, line.reference, debit, credit, sign * line.balance,
        ))  # fmt: skip
    yield Row((found.until, "Closing balance", "", "", move.debits, move.credits, sign * move.closing), strong=True)


TRIAL_BALANCE = Report(
    "trial-balance", "Trial balance", "Every account with its balance at the end of a day.", ("until",), trial_balance
)
BALANCE_SHEET = Report(
    "balance-sheet", "Balance sheet", "What there is, what we owe, and what is left.", ("until",), balance_sheet
)
INCOME_STATEMENT = Report(
    "income-statement", "Income statement", "What was earned and what was spent.", ("since", "until"), income_statement
)
GENERAL_LEDGER = Report(
    "general-ledger", "General ledger", "Every entry of an account, or of all whose codes begin so.",
    ("since", "until", "account"), general_ledger,
)  # fmt: skip
