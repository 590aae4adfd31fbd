"""What a person reads when everything runs: where it is, who may log in, and three lines to try."""

import json
import shlex
import uuid
from typing import Any

from rich.console import Console
from rich.table import Table


def announce(console: Console, base: str, demo: dict[str, Any] | None, logs: str) -> None:
    """Print the addresses and, where demo data exist, logins and curl lines that work as printed."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("API", f"{base}/api/v1")
    table.add_row("Docs", f"{base}/api/docs")
    table.add_row("Admin", f"{base}/admin/")
    table.add_row("Logs", logs)
    for title, person in _logins(demo):
        table.add_row(title, f"{person['email']}  {person['password']}")
    console.print()
    console.print("[bold]walletproject is ready[/bold]   (Ctrl-C stops it)")
    console.print(table)
    if demo and demo.get("people") and demo.get("transfer"):
        console.print("\nTry it:")
        for line in _try_lines(base, demo["people"][0], demo["transfer"]):
            # Not wrapped or marked up, so that it can be copied as it stands.
            console.print(f"\n{line}", soft_wrap=True, markup=False, highlight=False)
    console.print()


def _logins(demo: dict[str, Any] | None) -> list[tuple[str, dict[str, str]]]:
    if not demo:
        return []
    staff = [("Superuser", demo["staff"])] if demo.get("staff") else []
    office = [("Staff", person) for person in demo.get("office", [])]
    return [("Person", person) for person in demo.get("people", [])] + office + staff


def _try_lines(base: str, person: dict[str, str], transfer: dict[str, Any]) -> list[str]:
    login = shlex.quote(json.dumps({"email": person["email"], "password": person["password"]}))
    body = shlex.quote(json.dumps({name: transfer[name] for name in ("source", "destination", "amount")}))
    as_json = "-H 'Content-Type: application/json'"
    bearer = '-H "Authorization: Bearer $TOKEN"'
    key = f"-H 'Idempotency-Key: {uuid.uuid4()}'"
    return [
        f"TOKEN=$(curl -s {base}/api/v1/auth/token {as_json} -d {login} "
        """| sed 's/.*"access": *"\\([^"]*\\)".*/\\1/')""",
        f"curl -s {base}/api/v1/wallets {bearer}",
        f"curl -s {base}/api/v1/transfers {bearer} {as_json} {key} -d {body}",
    ]
