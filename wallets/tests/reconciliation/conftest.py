"""A clearing account of the scripted world: paystack's naira, from the first of March 2026 on, and who works on it."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from uuid_utils.compat import uuid7

from ledger.accounts import NewAccount, open_accounts
from ledger.posting import post
from ledger.requests import Posting
from users.callers import System
from wallets import chart
from wallets.models import Break, ColumnMapping, ReconciledAccount, Reconciliation
from wallets.reconciliation import run
from wallets.reconciliation.importing import Imported, Upload, import_statement

START = date(2026, 3, 1)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FINA = System("fina")
COLUMNS = ("date", "amount", "reference", "external_id", "description", "status", "fee", "batch")


def day(number: int) -> date:
    """The first of March is day 0."""
    return START + timedelta(days=number)


@dataclass
class Row:
    """A line as it stands in a file: amounts in minor units here, in major ones there."""

    day: int
    amount: int
    reference: str = ""
    external_id: str = ""
    description: str = ""
    status: str = ""
    fee: int = 0
    batch: str = ""

    def cells(self) -> list[str]:
        amounts = (f"{self.amount / 100:.2f}", f"{self.fee / 100:.2f}" if self.fee else "")
        texts = (self.reference, self.external_id, self.description, self.status)
        return [day(self.day).isoformat(), amounts[0], *texts, amounts[1], self.batch]


def as_csv(rows: Iterable[Row]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, *(row.cells() for row in rows)])
    return out.getvalue().encode()


@dataclass
class Desk:
    """Somebody who imports, posts and reconciles, for paystack's naira."""

    provider: str = "paystack"
    currency: str = "NGN"
    posted: list[UUID] = field(default_factory=list)

    def book(self, *items: tuple[int, int, str] | tuple[int, int, str, UUID | None]) -> list[UUID]:
        """Post to the clearing account: a day, an amount, a name from outside, and what it reverses."""
        postings = [self.posting(*item) for item in items]
        self.book_all(postings)
        return [posting.id for posting in postings]

    def book_all(self, postings: Sequence[Posting]) -> None:
        for start in range(0, len(postings), 1_000):
            with transaction.atomic():
                post(postings[start : start + 1_000], now=NOW)

    def posting(self, on: int, amount: int, name: str = "", reverses: UUID | None = None) -> Posting:
        clearing, other = (chart.clearing, chart.suspense)
        legs = (
            clearing(self.provider, self.currency).debit(amount), other(self.provider, self.currency).credit(amount),
        )  # fmt: skip
        id = uuid7()
        return Posting(
            "deposit" if amount > 0 else "withdrawal", f"test:{id}", legs, external_reference=name, reverses=reverses,
            effective_at=datetime.combine(day(on), time(9), UTC), id=id,
        )  # fmt: skip

    def state(self, rows: Sequence[Row], name: str = "statement.csv", **more: Any) -> Imported:
        """Import a CSV of these rows."""
        upload = Upload(self.provider, self.currency, name, as_csv(rows), "csv", "full", **more)
        return import_statement(upload, by=FINA, now=NOW)

    def reconcile(self, **more: Any) -> Reconciliation:
        return run.reconcile(self.account, by=FINA, now=more.pop("now", NOW), **more)

    @property
    def account(self) -> ReconciledAccount:
        return ReconciledAccount.objects.get(provider=self.provider, currency=self.currency)

    def open(self) -> list[Break]:
        """The open breaks, the oldest first."""
        return list(Break.objects.filter(account=self.account, state="open").order_by("first_on", "pk"))

    def kinds(self) -> list[tuple[str, int, int]]:
        """The open breaks: kind, theirs and ours."""
        return sorted((found.kind, found.theirs, found.ours) for found in self.open())


@pytest.fixture
def desk(database: None) -> Desk:
    lines = [
        chart.clearing("paystack", "NGN"), chart.suspense("paystack", "NGN"), chart.provider_fees("NGN"),
    ]  # fmt: skip
    with transaction.atomic():
        open_accounts(
            [NewAccount(line.code, line.type, line.currency, lanes=line.lanes, id=line.id) for line in lines], now=NOW
        )
    ColumnMapping.objects.create(name="full", columns={name: name for name in COLUMNS})
    return Desk()
