"""Which posting would resolve a break: what the clearing account lacks of the statement, against what explains it."""

from datetime import UTC, date, datetime, time
from typing import Literal, get_args

from uuid_utils.compat import uuid7

from ledger.accounts import Line
from ledger.closing import first_open_day
from ledger.requests import Posting
from wallets import chart
from wallets.models import Break, ReconciledAccount, StatementLine
from wallets.opening import InvalidState
from wallets.reconciliation.members import lacking, last_day

Against = Literal["suspense", "provider_fees"]
AGAINST: tuple[Against, ...] = get_args(Against)


def propose_posting(found: Break, *, against: Against | None = None, on: date | None = None) -> Posting:
    """The adjustment that makes our books say what the statement says, for two people to stand for.

    `against` is where it comes from or goes to: suspense, or what providers kept; without it the likelier. It is
    effective on the day of the line, or the first open day after it, unless `on` says another. Raises InvalidState
    where nothing is lacking.
    """
    account, needed = found.account, lacking(found)
    if not needed:
        raise InvalidState("The amounts agree, so there is nothing to post; resolve it by a note.")
    clearing, line = sides(account, against or likelier(found))
    id = uuid7()
    return Posting(
        "adjustment", f"adjustment:{id}", (clearing.debit(needed), line.credit(needed)),
        description=f"Reconciliation of {account}: {found.get_kind_display().lower()}"[:255],
        metadata={"break": str(found.pk)}, effective_at=datetime.combine(on or open_day(found), time(), UTC), id=id,
    )  # fmt: skip


def open_day(found: Break) -> date:
    """The last day that it is about; where that one is closed, the first open one."""
    day, opens = last_day(found), first_open_day()
    return max(day, opens) if opens else day


def sides(account: ReconciledAccount, against: Against) -> tuple[Line, Line]:
    """The two accounts of such a posting: the clearing account, and what it is posted against."""
    provider, currency = account.provider, account.currency
    other = chart.suspense(provider, currency) if against == "suspense" else chart.provider_fees(currency)
    return chart.clearing(provider, currency), other


def likelier(found: Break) -> Against:
    """Fees where the provider took more than we know of, or took something and named no payment; else suspense."""
    taken = found.theirs < found.ours
    if taken and found.kind == Break.Kind.AMOUNT:
        return "provider_fees"
    unnamed = not StatementLine.objects.filter(found=found).exclude(reference="").exists()
    return "provider_fees" if taken and found.kind == Break.Kind.MISSING_HERE and unnamed else "suspense"
