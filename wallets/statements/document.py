"""A wallet's statement as a document: its columns, and the balances at either end of them."""

from collections.abc import Iterator

from wallets.documents.document import Cell, Column, Document, Kind, Row, Section, between
from wallets.history import CREDIT, Item
from wallets.statements.statement import Statement

COLUMNS = (
    Column("Sequence", Kind.NUMBER), Column("Date (UTC)", Kind.DATE), Column("Type", Kind.NOTE), Column("Description"),
    Column("Reference", Kind.NOTE), Column("Counterparty", Kind.NOTE), Column("In", Kind.MONEY),
    Column("Out", Kind.MONEY), Column("Balance", Kind.MONEY),
)  # fmt: skip
OPENING, CLOSING = "Opening balance", "Closing balance"


def document(statement: Statement) -> Document:
    """What every file of the statement says."""
    wallet = statement.wallet
    name = f"{wallet.name}, {wallet.currency}" if wallet.name else f"Wallet in {wallet.currency}"
    return Document(
        title="Statement",
        stem=f"statement-{wallet.id}-{statement.since}-to-{statement.until}",
        head=(
            ("Wallet", str(wallet.id)), ("Name", wallet.name), ("Owner", statement.owner),
            ("Currency", wallet.currency), ("From", statement.since.isoformat()), ("To", statement.until.isoformat()),
        ),
        lines=(statement.owner, name, str(wallet.id)),
        figures=(
            (OPENING, statement.opening), ("Money in", statement.total_in), ("Money out", statement.total_out),
            (CLOSING, statement.closing),
        ),
        period=between(statement.since, statement.until),
        foot=f"Wallet {wallet.id}",
        author=statement.owner,
        sections=(Section(COLUMNS, lambda: _rows(statement), wallet.currency, statement.exponent),),
    )  # fmt: skip


def in_and_out(item: Item) -> tuple[int | None, int | None]:
    """The amount in the column that it belongs to, and None in the other one."""
    return (item.amount, None) if item.direction == CREDIT else (None, item.amount)


def _rows(statement: Statement) -> Iterator[Row]:
    yield Row((None, statement.since, OPENING, "", "", "", None, None, statement.opening), strong=True)
    for item in statement.lines():
        yield Row(_cells(item))
    sums = (statement.total_in, statement.total_out, statement.closing)
    yield Row((None, statement.until, CLOSING, "", "", "", *sums), strong=True)


def _cells(item: Item) -> tuple[Cell, ...]:
    counterparty = str(item.counterparty) if item.counterparty else ""
    return (
        item.sequence, item.created_at, item.type, item.description, item.reference, counterparty, *in_and_out(item),
        item.balance_after,
    )  # fmt: skip
