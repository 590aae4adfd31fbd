"""SWIFT MT940, as banks and their customers write it: the tags are read by the library mt-940."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import mt940

from wallets.reconciliation.formats import cells
from wallets.reconciliation.formats.cells import CellRefused
from wallets.reconciliation.formats.from_csv import decoded
from wallets.reconciliation.formats.lines import LONGEST_DESCRIPTION, File, Line, StatementRefused, Trouble

OPTIONS = mt940.Options.all()
NO_REFERENCE = ("", "NONREF")


def read(content: bytes, currency: str, *, encoding: str = "") -> File:
    """All statements of the file, one after the other, as one. Raises StatementRefused."""
    text = decoded(content, encoding).replace("\r\n", "\n")
    numbers = [number for number, line in enumerate(text.split("\n"), start=1) if line.startswith(":61:")]
    try:
        # A file-like object, since it takes a text that names a file for that file.
        told = mt940.parse_statements(io.StringIO(text), options=OPTIONS)
    except (RuntimeError, ValueError, KeyError, ArithmeticError, AttributeError, TypeError) as error:
        raise StatementRefused.at(0, "", f"It can't be read as MT940 ({str(error)[:200]}).") from error
    entries = [entry for statement in told for entry in statement if "amount" in entry.data]
    if len(entries) != len(numbers):
        says = f"It has {len(numbers)} lines, of which {len(entries)} can be read: a :61: has no transaction type."
        raise StatementRefused.at(0, ":61:", says)
    _check_chain(told, currency)
    lines = [_line(number, entry.data, currency) for number, entry in zip(numbers, entries, strict=True)]
    balances = [_balances(statement, currency) for statement in told] or [(None, None, None)]
    accounts = {str(statement.data.get("account_identification") or "") for statement in told}
    if len(accounts) > 1:
        raise StatementRefused.at(0, ":25:", f"It is about {len(accounts)} accounts; split it, a file for each.")
    account = (accounts or {""}).pop()[:64]
    return File(lines, balances[0][0], balances[-1][1], None, balances[-1][2], account)


def _line(number: int, data: dict[str, Any], currency: str) -> Line:
    reference = str(data.get("customer_reference") or "").strip()
    parts = (
        data.get("transaction_details"),
        data.get("purpose"),
        data.get("extra_details"),
        data.get("applicant_name"),
    )
    description = " ".join(" ".join(str(part).split()) for part in parts if part)
    return Line(
        number, _day(data.get("entry_date") or data["date"]), _minor(number, data["amount"].amount, currency),
        reference="" if reference in NO_REFERENCE else reference,
        external_id=str(data.get("bank_reference") or "").strip(), description=description[:LONGEST_DESCRIPTION],
    )  # fmt: skip


def _balances(statement: Any, currency: str) -> tuple[int | None, int | None, date | None]:
    """Opening and closing balance, and the day of the latter; of a long statement's parts, the intermediate ones."""
    opening = statement.data.get("final_opening_balance") or statement.data.get("intermediate_opening_balance")
    closing = statement.data.get("final_closing_balance") or statement.data.get("intermediate_closing_balance")
    first, last = (None if told is None else _minor(0, told.amount.amount, currency) for told in (opening, closing))
    return first, last, None if closing is None else _day(closing.date)


def _check_chain(told: list[Any], currency: str) -> None:
    """Each statement is in our currency, and opens with what the one before closed with."""
    before = None
    for statement in told:
        if statement.currency not in (None, currency):
            raise StatementRefused.at(0, ":60F:", f"It is in {statement.currency}; the account is in {currency}.")
        opening, closing, _ = _balances(statement, currency)
        if before is not None and opening is not None and opening != before:
            says = f"A statement opens with {opening}, and the one before closed with {before} minor units."
            raise StatementRefused.at(0, ":60F:", says + " One is missing.")
        before = closing


def _day(told: Any) -> date:
    return date(told.year, told.month, told.day)


def _minor(number: int, amount: Decimal, currency: str) -> int:
    try:
        return cells.minor(amount, currency)
    except CellRefused as refusal:
        raise StatementRefused([Trouble(number, ":61:" if number else ":60F:", str(refusal))]) from refusal
