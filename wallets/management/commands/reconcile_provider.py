"""Reconcile clearing accounts with the statements of their providers."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ledger import commands
from users.callers import System
from wallets.currencies import exponent
from wallets.documents.document import major
from wallets.models import ReconciledAccount, Reconciliation
from wallets.opening import InvalidState
from wallets.reconciliation.run import NothingToReconcile, reconcile

PARTS = (
    ("our books", "ledger_balance", ""), ("their statement", "statement_balance", ""),
    ("open in our books", "open_here", "+"), ("open in their statement", "open_there", "−"),
    ("matched over the end of the period", "in_transit", "+"), ("tolerated or accepted", "accepted", "+"),
    ("unexplained", "unexplained", "+"),
)  # fmt: skip


class Command(commands.Command):
    """Exit code 0 when everything is explained, 1 when there are breaks."""

    help = (
        "Match statements with the books, list what doesn't match, and explain how the balances differ. Exit code 0"
        " when everything is explained; 1 when there are open breaks, or balances differ by more; 2 when it was asked"
        " for wrongly, or while another import or run of the account is under way."
    )
    examples = """
  manage.py reconcile_provider                        every account that has statements
  manage.py reconcile_provider paystack --currency NGN --until 2026-03-31
  manage.py reconcile_provider paystack --dry-run     what a run would match and list; nothing is kept
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", nargs="?", help="one provider; without it, all that have statements")
        parser.add_argument("--currency", help="one currency; without it, all of them")
        parser.add_argument("--since", type=commands.day, metavar="DAY", help="the first statement's without it")
        parser.add_argument("--until", type=commands.day, metavar="DAY", help="the last statement's without it")
        parser.add_argument("--dry-run", action="store_true", help="keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        console = self.console
        wanted = {"provider": options["provider"], "currency": options["currency"]}
        found = ReconciledAccount.objects.filter(**{name: value for name, value in wanted.items() if value})
        if not found:
            raise CommandError("No statement of such an account was imported; import one first.", returncode=2)
        runs = [_run(account, options) for account in found.order_by("provider", "currency")]
        for run in runs:
            if not (options["quiet"] and _clean(run)):
                _tell(console, run)
        if not all(map(_clean, runs)):
            sys.exit(1)


def _run(account: ReconciledAccount, options: dict[str, Any]) -> Reconciliation:
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True, disable=options["quiet"],
    ) as progress:  # fmt: skip
        task = progress.add_task(str(account), total=None)
        try:
            return reconcile(
                account, by=System("reconcile_provider"), now=timezone.now(), since=options["since"],
                until=options["until"], dry_run=options["dry_run"],
                told=lambda step: progress.update(task, description=f"{account}: {step}"),
            )  # fmt: skip
        except (NothingToReconcile, InvalidState) as error:
            raise CommandError(str(error), returncode=2) from error


def _clean(run: Reconciliation) -> bool:
    return not run.breaks and not run.unexplained


def _tell(console: Console, run: Reconciliation) -> None:
    """Two tables: what became of the lines, and what explains the balances."""
    account, digits = run.account, exponent(run.account.currency)

    def money(amount: int | None) -> str:
        return "not stated" if amount is None else f"{major(amount, digits):,}"

    outcomes = Table("outcome", title=f"{account} until {run.until}", title_justify="left")
    for heading in ("count", "of theirs", "of ours", "difference"):
        outcomes.add_column(heading, justify="right", no_wrap=True)
    for found in run.outcomes:
        numbers = [f"{found[name]:,}" for name in ("matches", "lines", "items")]
        outcomes.add_row(found["rule"], *numbers, money(found["difference"]))
    for kind, found in sorted(run.breaks.items()):
        difference = money(found["ours"] - found["theirs"])
        outcomes.add_row(kind.replace("_", " "), f"{found['count']:,}", "", "", difference, style="red")
    console.print(outcomes)
    balances = Table("balance", title_justify="left")
    balances.add_column(account.currency, justify="right")
    for label, name, sign in PARTS:
        balances.add_row(f"{sign} {label}".strip(), money(getattr(run, name)))
    console.print(balances)
    clean = "[bold green]Everything is explained.[/]"
    verdict = clean if _clean(run) else "[bold red]There is something to look at.[/]"
    console.print(f"{verdict} {run.opened:,} breaks were opened, {run.resolved:,} are explained now.")
