"""`python -m walletproject.local run` and `… exec -- COMMAND`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from walletproject.local.command import execute
from walletproject.local.failures import CannotRun
from walletproject.local.programs import ROOT
from walletproject.local.supervisor import run


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code; a failure is told in words."""
    options = parser().parse_args(arguments)
    try:
        if options.action == "exec":
            return execute(options.command, data=options.data, fast=options.fast)
        run(Path(os.environ.get("DATA_DIR") or ROOT / ".data"))
    except CannotRun as failure:
        Console(stderr=True).print(str(failure), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m walletproject.local", description=__doc__)
    actions = top.add_subparsers(dest="action", required=True)
    actions.add_parser("run", help="start the whole product and keep it running")
    with_servers = actions.add_parser("exec", help="run one command with PostgreSQL and Valkey of its own")
    with_servers.add_argument("--data", type=Path, default=ROOT / ".data" / "test", help="where their data live")
    with_servers.add_argument("--fast", action="store_true", help="no durability: for tests")
    with_servers.add_argument("command", nargs="+", metavar="COMMAND")
    return top


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
