"""The demo's reconciliation: its bank's statements of the demo's own payments, with some of all that doesn't match."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from backoffice.money import major
from users.models import User
from wallets.models import Break, ColumnMapping, Deposit, Statement
from wallets.proposals import decide
from wallets.proposals.ask import ask
from wallets.proposals.breaks import BreakPosting
from wallets.reconciliation import importing, resolving, run
from wallets.reconciliation.importing import Upload

CURRENCY, MAPPING = "NGN", "sandbox"
COLUMNS = ("date", "amount", "fee", "reference", "external_id", "description", "status", "balance")
# The days of the month with which the statements end: one a week.
ENDS = (8, 15, 22, 29)
CHARGE, TRANSFER = -5_000, 120_000


@dataclass(frozen=True)
class Oddity:
    """How the bank tells a payment otherwise than our books do: amounts in minor units, days later, and how often."""

    fee: int = 0
    short: int = 0
    late: int = 0
    times: int = 1
    status: str = "success"


ODD = {
    "ORD-1003": Oddity(fee=7_500), "ORD-1004": Oddity(short=10_000), "ORD-1005": Oddity(late=9),
    "ORD-1006": Oddity(times=2), "ORD-1007": Oddity(times=0), "ORD-1008": Oddity(status="failed"),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line of a statement, its amount signed, in minor units."""

    day: date
    amount: int
    reference: str = ""
    description: str = ""
    fee: int = 0
    status: str = "success"

    @property
    def moved(self) -> int:
        return self.amount if self.status == "success" else 0


def reconcile(ada: User, amara: User, start: datetime, now: datetime) -> None:
    """Import the statements and reconcile after each; one break is posted by two people, and one is Ada's."""
    if Statement.objects.exists():
        return
    ColumnMapping.objects.get_or_create(name=MAPPING, defaults={"columns": {name: name for name in COLUMNS}})
    lines, begin, balance = sorted(_lines(start), key=lambda line: line.day), start.date(), 0
    for days in ENDS:
        at, end = start + timedelta(days=days + 1), start.date() + timedelta(days=days)
        told = [line for line in lines if begin <= line.day <= end]
        name, content = f"sandbox-{end}.csv", _csv(told, balance, first=lines.index(told[0]) + 1)
        upload = Upload(settings.DEFAULT_PROVIDER, CURRENCY, name, content, "csv", MAPPING)
        statement = importing.import_statement(upload, by=ada, now=at).statement
        run.reconcile(statement.account, by=ada, now=at)
        begin, balance = end + timedelta(days=1), balance + sum(line.moved for line in told)
    _work_on_breaks(ada, amara, start + timedelta(days=ENDS[2] + 2), now)


def _lines(start: datetime) -> Iterator[Line]:
    first = start.date()
    for deposit in Deposit.objects.filter(currency=CURRENCY, created_at__lt=start + timedelta(days=ENDS[-1])):
        odd, day = ODD.get(deposit.reference, Oddity()), deposit.created_at.date()
        for _ in range(odd.times):
            yield Line(
                day + timedelta(days=odd.late), deposit.amount - odd.short - odd.fee, deposit.reference,
                deposit.description, odd.fee, odd.status,
            )  # fmt: skip
    yield Line(first + timedelta(days=15), CHARGE, description="Monthly charge")
    yield Line(first + timedelta(days=17), TRANSFER, "TRF-88213", "Transfer from Ikeja Primary School")


def _csv(lines: Sequence[Line], balance: int, *, first: int) -> bytes:
    """The file of some lines, with a running balance."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for number, line in enumerate(lines, first):
        balance += line.moved
        amounts = (major(amount, CURRENCY) for amount in (line.amount, line.fee))
        texts = (line.reference, f"SBX-{number:05}", line.description, line.status, major(balance, CURRENCY))
        rows.writerow((line.day.isoformat(), *amounts, *texts))
    return out.getvalue().encode()


def _work_on_breaks(ada: User, amara: User, at: datetime, now: datetime) -> None:
    charge = Break.objects.get(theirs=CHARGE)
    deed = BreakPosting(charge.pk, CHARGE, "provider_fees", charge.first_on)
    asked = ask(deed, actor=ada, reason="What they charge for the account each month.", now=now)
    decide.approve(asked.pk, actor=amara, seen=decide.digest(asked), reason="As in their price list.", now=now)
    transfer = Break.objects.get(theirs=TRANSFER)
    resolving.assign(transfer.pk, owner=ada, by=ada, now=at)
    resolving.note(transfer.pk, text="Asked the bank who sent it, and for what; case 4802.", by=ada, now=at)
    found = "They name a school. Nobody of that name has a wallet, so we have written to them."
    resolving.note(transfer.pk, text=found, by=ada, now=at + timedelta(days=3))
