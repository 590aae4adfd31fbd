"""The simulator's books, for whoever compares them with the product's."""

from typing import Any

from wallets.simulator.amounts import major
from wallets.simulator.bank import Bank
from wallets.simulator.clock import iso
from wallets.simulator.orders import OPEN
from wallets.simulator.store import Store
from wallets.simulator.webhooks import shown


def books(bank: Bank, prefix: str = "") -> dict[str, Any]:
    """All balances, and the transfers, checkouts and deliveries whose references begin with `prefix`."""
    store = bank.store
    with store.transaction():
        return {
            "now": iso(bank.clock.now()),
            "balanced": balanced(store),
            "balances": _balances(store),
            "transfers": _transfers(store, prefix),
            "checkouts": _checkouts(store, prefix),
            "deliveries": [shown(row) for row in _beginning(store, "deliveries", prefix)],
        }


def balanced(store: Store) -> bool:
    """Whether each balance is the sum of its entries, and what is locked that of its open transfers."""
    entered = store.rows("SELECT provider, currency, sum(amount) AS amount FROM entries GROUP BY 1, 2")
    states = ", ".join(f"'{state}'" for state in sorted(OPEN))
    waiting = store.rows(
        f"SELECT provider, currency, sum(amount + fee) AS amount FROM transfers WHERE state IN ({states}) GROUP BY 1, 2"
    )
    ledger = {(row["provider"], row["currency"]): row["amount"] for row in entered}
    locked = {(row["provider"], row["currency"]): row["amount"] for row in waiting}
    return all(
        row["ledger"] == ledger.get((row["provider"], row["currency"]), 0)
        and row["locked"] == locked.get((row["provider"], row["currency"]), 0)
        for row in store.rows("SELECT * FROM accounts")
    )


def _balances(store: Store) -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in store.rows("SELECT * FROM accounts ORDER BY provider, currency"):
        figures = {"ledger": row["ledger"], "locked": row["locked"], "available": row["ledger"] - row["locked"]}
        found.setdefault(row["provider"], {})[row["currency"]] = {
            name: f"{major(amount):f}" for name, amount in figures.items()
        }
    return found


def _transfers(store: Store, prefix: str) -> list[dict[str, Any]]:
    paid = _counts(store, "payout")
    returned = _counts(store, "reversal")
    histories: dict[int, list[dict[str, Any]]] = {}
    for row in store.rows("SELECT * FROM steps WHERE applied IS NOT NULL ORDER BY applied, id"):
        step = {"state": row["state"], "at": iso(row["applied"]), "said": row["word"], "detail": row["detail"]}
        histories.setdefault(row["transfer"], []).append(step)
    return [
        {
            "provider": row["provider"], "reference": row["reference"], "copy": row["copy"], "state": row["state"],
            "amount": f"{major(row['amount']):f}", "fee": f"{major(row['fee']):f}", "currency": row["currency"],
            "account_number": row["account_number"], "history": histories[row["id"]],
            "times_paid": paid.get((row["provider"], row["reference"]), 0),
            "times_returned": returned.get((row["provider"], row["reference"]), 0),
        }
        for row in _beginning(store, "transfers", prefix)
    ]  # fmt: skip


def _counts(store: Store, kind: str) -> dict[tuple[str, str], int]:
    rows = store.rows(
        "SELECT provider, reference, count(*) AS times FROM entries WHERE kind = :kind GROUP BY 1, 2", kind=kind
    )
    return {(row["provider"], row["reference"]): row["times"] for row in rows}


def _checkouts(store: Store, prefix: str) -> list[dict[str, Any]]:
    return [
        {
            "provider": row["provider"], "reference": row["reference"], "kind": row["kind"], "state": row["state"],
            "asked": f"{major(row['asked']):f}", "currency": row["currency"], "paid": f"{major(row['paid']):f}",
            "paid_currency": row["paid_currency"], "fee": f"{major(row['fee']):f}", "token": row["token"],
        }
        for row in _beginning(store, "deposits", prefix)
    ]  # fmt: skip


def _beginning(store: Store, table: str, prefix: str) -> list[Any]:
    return store.rows(
        f"SELECT * FROM {table} WHERE substr(reference, 1, length(:prefix)) = :prefix ORDER BY id", prefix=prefix
    )
