"""What commands have in common: examples that --help shows, a bar of progress, and what they take as arguments."""

import argparse
import calendar
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import IO, Any, ClassVar, cast

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ledger.seals.sealing import Head, MalformedHead

Advance = Callable[[str], None]


class Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Leaves the examples as they are written."""


class Command(BaseCommand):
    """A command that is quiet when it is told to, and otherwise shows how far it is."""

    examples: ClassVar[str] = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        made = super().create_parser(prog_name, subcommand, formatter_class=Formatter, **kwargs)
        made.description = textwrap.fill(str(self.help), 100)
        made.epilog = "examples:" + self.examples
        made.add_argument("--quiet", action="store_true", help="print only what is wrong: for a cron")
        return made

    @property
    def console(self) -> Console:
        """Where the command prints."""
        return Console(file=cast(IO[str], self.stdout), soft_wrap=True, highlight=False)

    def tell(self, says: str, total: int, shown: Iterable[str], *, quiet: bool) -> None:
        """Print what came of a check: how many offenders, and the first of them; when quiet, only if there are any."""
        if total:
            self.console.print(f"[red]✗[/] {says}: {total} broken")
            for offender in shown:
                self.console.print(f"    {offender}", markup=False)
        elif not quiet:
            self.console.print(f"[green]✓[/] {says}")


@contextmanager
def progress(total: int | None, *, quiet: bool) -> Iterator[Advance]:
    """A bar on the terminal's error output; what it gives takes it a step on and says what is being done.

    Where nobody knows how many steps there will be, `total` is None.
    """
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True),
        transient=True, disable=quiet,
    ) as bar:  # fmt: skip
        task = bar.add_task("…", total=total)
        yield lambda what: bar.update(task, advance=1, description=what)


def day(text: str) -> date:
    """A day as 2026-11-23, for an argument. Raises ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2026-11-23.") from error


def month(text: str) -> tuple[date, date]:
    """The first and the last day of a month as 2026-10, for an argument. Raises ArgumentTypeError."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write it as 2026-10.") from error
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def moment(text: str) -> datetime:
    """A moment as 2026-11-24T12:00:00Z, in UTC where it names no zone. Raises ArgumentTypeError."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no moment; write it as 2026-11-24T12:00:00Z.") from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def head(text: str) -> Head:
    """A head of the seals, which was kept elsewhere. Raises ArgumentTypeError."""
    try:
        return Head.read(text)
    except MalformedHead as error:
        raise argparse.ArgumentTypeError(str(error)) from error
