"""A worker of the benchmark: books so many payments, imports a statement of nearly all of them, and reconciles the two.

Tells as JSON how many seconds each took, and what came of it.
"""

import csv
import io
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import django

django.setup()

from benchmarks import books  # noqa: E402
from benchmarks.measure import timed  # noqa: E402
from ledger.durable import durable  # noqa: E402
from ledger.posting import post  # noqa: E402
from ledger.requests import Posting  # noqa: E402
from users.callers import System  # noqa: E402
from wallets import chart  # noqa: E402
from wallets.models import ColumnMapping, ReconciledAccount  # noqa: E402
from wallets.reconciliation import importing, run  # noqa: E402
from wallets.reconciliation.importing import Upload  # noqa: E402

BY = System("benchmark")
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
COLUMNS = ("date", "amount", "reference", "external_id", "description", "fee")
# One in so many has a fee taken off, shows no reference, or isn't in the statement.
FEE, NAMELESS, MISSING = 12, 10, 500


def fill(count: int) -> Upload:
    """Book the payments, and write the statement."""
    random.seed(count)
    durable(chart.open_currency)("NGN", now=books.now())
    ColumnMapping.objects.create(name="bench", columns={name: name for name in COLUMNS})
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for chunk in books.chunks(range(count)):
        durable(post)([payment(number, writer) for number in chunk], now=books.now())
    return Upload("sandbox", "NGN", "bench.csv", out.getvalue().encode(), "csv", "bench")


def payment(number: int, writer: Any) -> Posting:
    """A payment as it is booked, written into the statement as it is stated."""
    at, name = START + timedelta(days=random.randrange(60)), f"pay-{number:08}"
    amount = random.choice((-1, 1)) * random.randrange(1_000, 10**9)
    fee = 0 if number % FEE else 1_075
    if number % MISSING:
        on, shown = (at + timedelta(days=random.randrange(2))).date(), name if number % NAMELESS or fee else ""
        writer.writerow((on, f"{(amount - fee) / 100:.2f}", shown, f"id{number}", "Transfer", f"{fee / 100:.2f}"))
    clearing, other = chart.clearing("sandbox", "NGN"), chart.suspense("sandbox", "NGN")
    legs = (clearing.debit(amount), other.credit(amount))
    return Posting("deposit", f"b:{number}", legs, external_reference=name, effective_at=at)


def measured(count: int) -> dict[str, float]:
    """What is told."""
    upload, runs = fill(count), []
    seconds = timed(lambda: importing.import_statement(upload, by=BY, now=books.now()))
    account = ReconciledAccount.objects.get()
    first, again = (
        timed(lambda: runs.append(run.reconcile(account, by=BY, now=books.now()))) for _ in range(2)
    )  # fmt: skip
    breaks = sum(kind["count"] for kind in runs[0].breaks.values())
    return {"import": seconds, "run": first, "again": again, "matched": runs[0].matched_lines, "breaks": breaks}


sys.stdout.write(json.dumps(measured(int(sys.argv[1]))))
