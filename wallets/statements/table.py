"""What every file of a statement says in the same words: its head, its columns, its amounts."""

from decimal import Decimal

from wallets.history import CREDIT, Item
from wallets.statements.statement import Statement

COLUMNS = ("Sequence", "Date (UTC)", "Type", "Description", "Reference", "Counterparty", "In", "Out", "Balance")
OPENING, CLOSING = "Opening balance", "Closing balance"
DATE = "%Y-%m-%d %H:%M:%S"


def head(statement: Statement) -> list[tuple[str, str]]:
    """Whose statement it is, and of when: labels and their texts."""
    wallet = statement.wallet
    return [
        ("Wallet", str(wallet.id)),
        ("Name", wallet.name),
        ("Owner", statement.owner),
        ("Currency", wallet.currency),
        ("From", statement.since.isoformat()),
        ("To", statement.until.isoformat()),
    ]


def major(amount: int, exponent: int) -> Decimal:
    """Minor units as the currency is written, exactly: 1170 with exponent 2 is 11.70."""
    return Decimal(amount).scaleb(-exponent)


def in_and_out(item: Item) -> tuple[int | None, int | None]:
    """The amount in the column that it belongs to, and None in the other one."""
    return (item.amount, None) if item.direction == CREDIT else (None, item.amount)
