"""The table: on the terminal, and with the machine's description in results.md."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import books
from benchmarks.measure import Row

RESULTS = Path(__file__).parent / "results.md"
INTRODUCTION = """# How fast

Made by `make bench`, family by family. Each row is a ratio of two things done in turns in the same run: the median of
what its rounds came to. In numbers, the medians of both."""
HEADINGS = ("row", "against", "measured", "target", "met", "in numbers")


def cells(row: Row) -> tuple[str, ...]:
    """A row in words, one for each heading."""
    sign = "≤" if row.at_most else "≥"
    target = "" if row.target is None else f"{sign} {number(row.target)} {row.unit}"
    met = {True: "yes", False: "no", None: ""}[row.met]
    return row.what, row.against, f"{number(row.value)} {row.unit}", target, met, row.detail


def number(value: float) -> str:
    return f"{value:,.2f}" if value < 20 else f"{value:,.0f}"


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*cells(row), style="red" if row.met is False else "")
    Console(width=None if Console().is_terminal else 180).print(table)


def write(family: str, rows: Sequence[Row], order: Sequence[str]) -> None:
    """Put a family's rows in place of its older ones in results.md, where the families have an order."""
    _, *kept = RESULTS.read_text().split("\n## ")
    sections = {section.partition("\n")[0]: section.rstrip() for section in kept}
    sections[family] = "\n".join([family, "", machine(), "", *markdown(rows)])
    known = [sections[name] for name in order if name in sections]
    RESULTS.write_text("\n\n## ".join([INTRODUCTION, *known]) + "\n")


def markdown(rows: Sequence[Row]) -> list[str]:
    """The table as Markdown."""
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *(cells(row) for row in rows)]
    return ["| " + " | ".join(line) + " |" for line in lines]


def machine() -> str:
    """When and on what it was measured."""
    with books.owner() as server:
        (postgres,) = server.execute("SHOW server_version").fetchone() or ("?",)
        (fsync,) = server.execute("SHOW fsync").fetchone() or ("?",)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{books.now():%Y-%m-%d}, {len(os.sched_getaffinity(0))} cores, {_processor()}, {memory:.0f} GiB of memory;"
        f" {platform.system()} {platform.release()}, PostgreSQL {postgres}, fsync {fsync}, Python"
        f" {platform.python_version()}; clients on the same machine."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
