"""What customers are owed, against what providers and banks hold: whether all of it is there."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from ledger import reports as ledger
from ledger.closing import midnight
from ledger.reports import Movement
from wallets import currencies
from wallets.documents.document import Column, Document, Kind, Row
from wallets.models import BalanceSnapshot, ProviderAccount
from wallets.reports.books import FOLD, document, section
from wallets.reports.report import Parameters, Report

COLUMNS = (
    Column("What"), Column("Where", Kind.NOTE), Column("By our books", Kind.MONEY), Column("By their word", Kind.MONEY),
    Column("Difference", Kind.MONEY),
)  # fmt: skip
CLEARING, SUSPENSE, BANKS = "assets:clearing:", "liabilities:suspense:", "assets:bank:"


def safeguarding(parameters: Parameters) -> Document:
    """For each currency, customers' money against where it is, at the end of a day.

    What providers say is their newest reading up to then; where there is none, our books stand alone.
    """
    assert parameters.until
    moves = ledger.movements(
        since=parameters.until, until=parameters.until, currency=parameters.currency or None, fold=FOLD
    )
    end = midnight(parameters.until + timedelta(days=1))
    told = [(currency, list(of)) for currency, of in groupby(moves, key=lambda line: line.currency)]
    sections = [section(currency, COLUMNS, partial(_rows, of, currency, end)) for currency, of in told]
    return document("Safeguarding", "safeguarding", parameters, sections, columns=COLUMNS)


def _rows(lines: list[Movement], currency: str, end: datetime) -> Iterator[Row]:
    owed = -sum(line.closing for line in lines if line.code == FOLD[0])
    unmatched = -sum(line.closing for line in lines if line.code.startswith(SUSPENSE))
    yield Row(("Owed to customers", "all wallets", owed, None, None))
    yield Row(("Received, and nobody’s yet", "suspense", unmatched, None, None))
    yield Row(("To be kept safe", "", owed + unmatched, None, None), strong=True)
    held = there = 0
    for line in lines:
        if not line.code.startswith(CLEARING) or not (line.closing or line.debits or line.credits):
            continue
        provider = line.code.split(":")[2]
        said = told(currency, end, provider)
        held, there = held + line.closing, there + (line.closing if said is None else said)
        yield Row((f"Held by {provider}", line.code, line.closing, said, None if said is None else said - line.closing))
    yield Row(("Held", "", held, there, there - held), strong=True)
    need = owed + unmatched
    yield Row(("Surplus, or shortfall where negative", "", held - need, there - need, None), strong=True)
    for line in lines:
        if line.code.startswith(BANKS):
            yield Row((line.name or "Our own bank", line.code, line.closing, None, None))


def told(currency: str, before: datetime, provider: str = "") -> int | None:
    """What the accounts at a provider, or at all, held by their newest readings before a moment, in minor units.

    None where there is no reading. Several wallets may be linked to one account there: it is counted once.
    """
    accounts = ProviderAccount.objects.filter(currency=currency)
    newest: dict[tuple[str, str], BalanceSnapshot] = {}
    for account in accounts.filter(provider=provider) if provider else accounts:
        readings = BalanceSnapshot.objects.filter(wallet_id=account.wallet_id, provider=account.provider)
        found = readings.filter(as_of__lt=before).order_by("-id").first()
        key = (account.provider, account.external_account_id)
        if found and (key not in newest or newest[key].as_of < found.as_of):
            newest[key] = found
    return sum(currencies.floor(one.total, currency) for one in newest.values()) if newest else None


SAFEGUARDING = Report(
    "safeguarding", "Safeguarding", "What customers are owed, against what providers hold.", ("until",), safeguarding
)
