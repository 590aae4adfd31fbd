"""One reconciliation of an account: our side is read, what is open is matched, what is left is put on the list, and
how the balances differ is explained. All of it is one transaction: a run that is killed has left nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from uuid_utils.compat import uuid7

from ledger import sql
from ledger.durable import durable
from ledger.items import unread
from users import audit
from users.callers import Actor
from wallets.models import ReconciledAccount, Reconciliation, StatementLine
from wallets.reconciliation import accounts, balances, books, findings, importing, matching, worklist, workspace
from wallets.reconciliation.balances import Explained
from wallets.reconciliation.matching import Outcome
from wallets.reconciliation.worklist import Written
from wallets.reconciliation.workspace import Period

Told = Callable[[str], object]


class NothingToReconcile(Exception):
    """No statement of the account was imported yet."""


@dataclass(frozen=True, slots=True)
class Done:
    """What the steps of a run came to."""

    lines: int
    items: int
    outcomes: list[Outcome]
    written: Written
    explained: Explained


def work(account: ReconciledAccount) -> int:
    """About how much a run has before it: open lines, and entries of ours that weren't read yet."""
    lines = StatementLine.objects.filter(account=account, match=None, status="booked").count()
    return lines + unread(accounts.ledger_account(account), account.versions)


def reconcile(
    account: ReconciledAccount, *, by: Actor, now: datetime, since: date | None = None, until: date | None = None,
    dry_run: bool = False, told: Told = lambda _: None,
) -> Reconciliation:  # fmt: skip
    """Reconcile an account's days, both included; without them from its first statement to its last.

    A dry run keeps nothing and returns the same. Raises NothingToReconcile.
    """
    told("Reading our side")
    if not dry_run:
        books.collect_ahead(account.pk, told=lambda read: told(f"Reading our side: {read:,}"))
    return _run(account, by, now, since, until, dry_run, told)


@durable
def _run(
    account: ReconciledAccount, by: Actor, now: datetime, since: date | None, until: date | None, dry_run: bool,
    told: Told,
) -> Reconciliation:  # fmt: skip
    account = accounts.locked_by_id(account.pk)
    until = until or importing.covered(account)
    if until is None or account.since is None:
        raise NothingToReconcile(f"No statement of {account} was imported yet; import one first.")
    # Minutes of work on millions of rows are no mistake here.
    for setting in ("statement_timeout = 0", "work_mem = '64MB'", "jit = off"):
        sql.run(f"SET LOCAL {setting}")
    done = _steps(account, Period(account.pk, since or account.since, until), by, now, told)
    run = _row(account, done, since, until, by, now)
    run.save(force_insert=True)
    data = {"account": str(account), "until": until.isoformat(), "matched": run.matched_lines, "opened": run.opened}
    audit.record(
        actor=by, action="account.reconciled", kind="reconciliation", object_id=run.pk,
        data=data | {"resolved": run.resolved, "unexplained": run.unexplained}, now=now,
    )  # fmt: skip
    transaction.set_rollback(dry_run)
    return run


def _steps(account: ReconciledAccount, period: Period, by: Actor, now: datetime, told: Told) -> Done:
    books.collect(account)
    lines, items = workspace.fill(period)
    matching.apply(matching.rules(account), settled=findings.settled(account, period.until), told=told)
    outcomes = matching.keep(account, by=by, now=now)
    told("Looking at what is left")
    findings.find(account, period)
    written = worklist.write(account, now=now)
    told("Explaining the balances")
    return Done(lines, items, outcomes, written, balances.explain(account, period.until))


def _row(
    account: ReconciledAccount, done: Done, since: date | None, until: date, by: Actor, now: datetime
) -> Reconciliation:
    explained = done.explained
    return Reconciliation(
        id=uuid7(), account=account, since=since, until=until, lines=done.lines, items=done.items,
        matched_lines=sum(outcome.lines for outcome in done.outcomes),
        matched_items=sum(outcome.items for outcome in done.outcomes),
        outcomes=[outcome._asdict() for outcome in done.outcomes], breaks=worklist.open_by_kind(account),
        opened=done.written.opened, resolved=done.written.resolved, ledger_balance=explained.ledger,
        statement_balance=explained.statement, open_here=explained.open_here, open_there=explained.open_there,
        in_transit=explained.in_transit, accepted=explained.accepted, unexplained=explained.unexplained,
        made_by=":".join(by.actor)[:60], made_at=now,
    )  # fmt: skip
