"""`python -m benchmarks [--quick] [family …]`: the rows of results.md, each a ratio of two things in the same run."""

import argparse
import os
import sys
from collections.abc import Sequence

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"

import django

django.setup()

from rich.console import Console  # noqa: E402

from benchmarks import aged, closing, engine, hordak, http, lists, queued, reconciliation, report, usage  # noqa: E402
from benchmarks.measure import Row  # noqa: E402

FAMILIES = {
    "engine": engine.rows,
    "hordak": hordak.rows,
    "aged": aged.rows,
    "closing": closing.rows,
    "http": http.rows,
    "lists": lists.rows,
    "queued": queued.rows,
    "reconciliation": reconciliation.rows,
    "usage": usage.rows,
}


def main(arguments: Sequence[str]) -> int:
    """Run the families asked for, all of them if none is. Unless it is a quick run, each that is done has its part of
    results.md: what was stopped goes on with those that are left.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="family", help=f"of {', '.join(FAMILIES)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="short, for a look; proves nothing")
    options = parser.parse_args(arguments)
    if unknown := set(options.families) - set(FAMILIES):
        parser.error(f"no family {', '.join(unknown)}; there are {', '.join(FAMILIES)}")
    rows = run(options.families or list(FAMILIES), quick=options.quick)
    report.show(rows)
    return 0


def run(families: Sequence[str], *, quick: bool) -> list[Row]:
    """Every row of the families, told as it is measured."""
    console, rows = Console(stderr=True), []
    for family in families:
        found = []
        for row in FAMILIES[family](quick=quick):
            console.print(" · ".join(filter(None, report.cells(row))), markup=False, highlight=False, soft_wrap=True)
            found.append(row)
        if not quick:
            report.write(family, found, list(FAMILIES))
        rows += found
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
